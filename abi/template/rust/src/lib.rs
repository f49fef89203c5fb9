//! A provider plugin in Rust, without a JSON library and without any crate: the same provider as abi/template/c. It sends the
//! canonical request as it stands and finds the answer's text and finish reason by a small scan. Copy it, rename
//! `template_rust` and fill in your provider.
mod abi;

use abi::*;
use std::ffi::{c_void, CStr};
use std::os::raw::c_char;
use std::panic::{catch_unwind, AssertUnwindSafe};

const ID: &str = "template_rust";
const VERSION: &str = "1.0.0";

const NOTE_TEXT: &[u8; 44] = b"abi=1.0\nid=template_rust\nversion=1.0.0\n\0\0\0\0\0";
#[used]
#[link_section = ".note.aim"]
static NOTE: Note<44> = Note { name_size: 4, text_size: 44, kind: 1, name: *b"AIM\0", text: *NOTE_TEXT };

// ---- who we are ----

static KEY: Setting = Setting {
    struct_size: core::mem::size_of::<Setting>() as u32,
    flags: SETTING_SECRET | SETTING_REQUIRED,
    name: Str::of("TEMPLATE_RUST_API_KEY"),
    description: Str::of("Key of the example provider."),
    default_value: Str::EMPTY,
};

extern "C" fn no_name(_: u32) -> Str {
    Str::EMPTY
}
extern "C" fn setting(_: u32) -> *const Setting {
    &KEY
}
extern "C" fn host(_: u32) -> Str {
    Str::of("api.example.com")
}

static DESCRIPTOR: Descriptor = Descriptor {
    struct_size: core::mem::size_of::<Descriptor>() as u32,
    reserved: 0,
    provider_id: Str::of(ID),
    display_name: Str::of("Template in Rust"),
    vendor: Str::of("You"),
    version: Str::of(VERSION),
    default_endpoint: Str::of("https://api.example.com/v1"),
    alias_count: 0,
    setting_count: 1,
    host_count: 1,
    capability_count: 0,
    alias: no_name,
    setting,
    host,
    capability: no_name,
    row_settings_schema: Str::EMPTY,
};

// ---- one session: begin, one request, one answer ----

struct Session {
    url: Vec<u8>,
    request: Vec<u8>,
    answer: Vec<u8>,
    status: u32,
}

struct Failure {
    kind: i32,
    status: i32,
    retry_after_ms: i64,
    message: &'static str,
}

fn failure(kind: i32, status: i32, message: &'static str) -> Failure {
    Failure { kind, status, retry_after_ms: -1, message }
}

/// Runs `body` so that neither a panic nor a forgotten reason leaves the plugin.
fn guarded(call: *const Call, body: impl FnOnce(&Sink) -> Result<i32, Failure>) -> i32 {
    let sink = unsafe { &*(*call).sink };
    let result = catch_unwind(AssertUnwindSafe(|| body(sink)))
        .unwrap_or_else(|_| Err(failure(ERROR_INTERNAL, 0, "the plugin panicked")));
    result.unwrap_or_else(|failed| {
        let error = Error {
            struct_size: core::mem::size_of::<Error>() as u32,
            kind: failed.kind,
            upstream_status: failed.status,
            reserved: 0,
            retry_after_ms: failed.retry_after_ms,
            message: Str::of(failed.message),
            code: Str::EMPTY,
            field: Str::EMPTY,
        };
        (sink.error)(sink.context, &error);
        STEP_FAILED
    })
}

fn session_of<'a>(session: *mut c_void) -> &'a mut Session {
    unsafe { &mut *(session as *mut Session) }
}

// The row's settings could be checked here; this provider has none, and nothing that its sessions share.
extern "C" fn create(_: *const c_void, call: *const Call, provider: *mut *mut c_void) -> i32 {
    guarded(call, |_| {
        unsafe { *provider = &DESCRIPTOR as *const Descriptor as *mut c_void };
        Ok(OK)
    })
}
extern "C" fn destroy(_: *mut c_void) {}

extern "C" fn begin(
    _: *mut c_void,
    call: *const Call,
    request: *const ChatRequest,
    _seed: u64,
    session: *mut *mut c_void,
) -> i32 {
    guarded(call, |_| {
        let request = unsafe { &*request };
        if request.flags & CHAT_STREAM != 0 {
            return Err(failure(ERROR_UNSUPPORTED, 0, "the template does not stream"));
        }
        // The request is gone when this function returns: copy what is needed later.
        let mut url = unsafe { request.endpoint.bytes() }.to_vec();
        url.extend_from_slice(b"/chat/completions");
        let body = unsafe { request.json.bytes() }.to_vec();
        let made = Box::new(Session { url, request: body, answer: Vec::new(), status: 0 });
        unsafe { *session = Box::into_raw(made) as *mut c_void };
        Ok(STEP_NEXT_REQUEST)
    })
}

extern "C" fn next_request(session: *mut c_void, call: *const Call, builder: *const HttpBuilder) -> i32 {
    guarded(call, |_| {
        let this = session_of(session);
        let to = unsafe { &*builder };
        let header = |name, value| (to.header)(to.context, Str::of(name), Str::of(value));
        let refused = (to.url)(to.context, Str::view(&this.url))
            | header("content-type", "application/json")
            // The host puts the key into the slot when it sends; we never see it.
            | header("authorization", "Bearer {TEMPLATE_RUST_API_KEY}")
            | (to.body)(to.context, Str::view(&this.request))
            | (to.framing)(to.context, FRAMING_WHOLE);
        if refused != OK {
            return Err(failure(ERROR_INTERNAL, 0, "the host refused the request"));
        }
        Ok(OK)
    })
}

/// `retry-after` in seconds, as milliseconds; -1 without one.
fn retry_after(head: &HttpHead) -> i64 {
    let mut value = Str::EMPTY;
    if (head.find)(head, Str::of("retry-after"), &mut value) != OK {
        return -1;
    }
    let text = core::str::from_utf8(unsafe { value.bytes() }).unwrap_or("");
    text.parse::<u32>().map_or(-1, |seconds| i64::from(seconds) * 1000)
}

extern "C" fn on_head(session: *mut c_void, call: *const Call, head: *const HttpHead) -> i32 {
    guarded(call, |_| {
        let head = unsafe { &*head };
        let this = session_of(session);
        this.status = head.status;
        if head.status == 429 {
            let mut limited = failure(ERROR_RATE_LIMITED, 429, "too many requests");
            limited.retry_after_ms = retry_after(head);
            return Err(limited);
        }
        Ok(STEP_CONTINUE)
    })
}

extern "C" fn on_data(session: *mut c_void, call: *const Call, data: *const HttpData) -> i32 {
    guarded(call, |_| {
        session_of(session).answer.extend_from_slice(unsafe { (*data).bytes.bytes() });
        Ok(STEP_CONTINUE)
    })
}

fn kind_of(status: u32) -> i32 {
    match status {
        401 => ERROR_UNAUTHENTICATED,
        402 => ERROR_QUOTA_EXHAUSTED,
        403 => ERROR_FORBIDDEN,
        404 => ERROR_MODEL_NOT_FOUND,
        408 | 504 => ERROR_UPSTREAM_TIMEOUT,
        503 | 529 => ERROR_OVERLOADED,
        500.. => ERROR_UPSTREAM_FAILURE,
        _ => ERROR_INVALID_REQUEST,
    }
}

/// The string behind `"name":`, its simple escapes undone; None when it is not there or has no end. Good enough for a template;
/// a real provider deserves a parser.
fn find_text(json: &[u8], name: &str) -> Option<Vec<u8>> {
    let mut at = json.windows(name.len()).position(|window| window == name.as_bytes())? + name.len();
    while matches!(json.get(at), Some(b' ' | b':')) {
        at += 1;
    }
    if json.get(at) != Some(&b'"') {
        return None;
    }
    let mut text = Vec::new();
    let mut rest = json[at + 1..].iter();
    loop {
        match *rest.next()? {
            b'"' => return Some(text),
            b'\\' => match *rest.next()? {
                b'n' => text.push(b'\n'),
                b't' => text.push(b'\t'),
                b'r' => text.push(b'\r'),
                b'u' => {
                    let digits: Vec<u8> = rest.by_ref().take(4).copied().collect();
                    let code = u32::from_str_radix(core::str::from_utf8(&digits).ok()?, 16).ok()?;
                    text.push(if code > 0 && code < 0x80 { code as u8 } else { b'?' });
                }
                plain => text.push(plain),
            },
            byte => text.push(byte),
        }
    }
}

extern "C" fn on_end(session: *mut c_void, call: *const Call, how: i32) -> i32 {
    guarded(call, |sink| {
        let this = session_of(session);
        if !(200..300).contains(&this.status) {
            return Err(failure(kind_of(this.status), this.status as i32, "the provider refused the request"));
        }
        if how != END_COMPLETE {
            return Err(failure(ERROR_UPSTREAM_FAILURE, 0, "the answer was cut short"));
        }
        // Without a reason the answer is not known to be whole.
        let found = (find_text(&this.answer, "\"content\""), find_text(&this.answer, "\"finish_reason\""));
        let (text, reason) = match found {
            (Some(text), Some(reason)) => (text, reason),
            _ => return Err(failure(ERROR_PROTOCOL_ERROR, 200, "the answer has no text or no finish reason")),
        };
        (sink.text)(sink.context, 0, Str::view(&text));
        let finish = if reason == b"length" { FINISH_LENGTH } else { FINISH_STOP };
        (sink.finish)(sink.context, 0, finish);
        Ok(STEP_DONE)
    })
}

extern "C" fn on_wake(_: *mut c_void, call: *const Call) -> i32 {
    guarded(call, |_| Err(failure(ERROR_INTERNAL, 0, "the session never waits")))
}

extern "C" fn end(session: *mut c_void) {
    if !session.is_null() {
        drop(unsafe { Box::from_raw(session as *mut Session) });
    }
}

// ---- the tables and the one exported function ----

static SESSION: SessionFunctions = SessionFunctions {
    struct_size: core::mem::size_of::<SessionFunctions>() as u32,
    reserved: 0,
    next_request,
    on_head,
    on_data,
    on_end,
    on_wake,
    end,
};
static CHAT: Chat = Chat {
    struct_size: core::mem::size_of::<Chat>() as u32,
    reserved: 0,
    create,
    destroy,
    begin,
    session: &SESSION,
};

extern "C" fn init(_host: *const c_void) -> i32 {
    // A panic is told to the host by guarded(); the default hook would print.
    std::panic::set_hook(Box::new(|_| {}));
    OK
}
extern "C" fn deinit() {
    drop(std::panic::take_hook());
}

extern "C" fn get_interface(id: *const c_char) -> *const c_void {
    if id.is_null() {
        return core::ptr::null();
    }
    match unsafe { CStr::from_ptr(id) }.to_bytes() {
        b"aim.descriptor/1" => &DESCRIPTOR as *const Descriptor as *const c_void,
        b"aim.chat/1" => &CHAT as *const Chat as *const c_void,
        _ => core::ptr::null(),
    }
}

static ENTRY: Entry = Entry {
    struct_size: core::mem::size_of::<Entry>() as u32,
    abi_major: ABI_MAJOR,
    abi_minor: ABI_MINOR,
    abi_minor_required: 0,
    reserved: [0; 3],
    init,
    deinit,
    get_interface,
};

#[no_mangle]
pub extern "C" fn aim_plugin_entry() -> *const Entry {
    &ENTRY
}
