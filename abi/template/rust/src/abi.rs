//! The tables of abi/include/aim/abi as Rust sees them, as far as this plugin needs them. Members stand in the order of the
//! headers; a table may be larger than here (a later host), never smaller.
#![allow(dead_code)]

use std::ffi::c_void;
use std::os::raw::c_char; // not core::ffi, for compilers before 1.64

pub const ABI_MAJOR: u16 = 1;
pub const ABI_MINOR: u16 = 0;

pub const OK: i32 = 0;
pub const FAILED: i32 = -1;

pub const STEP_FAILED: i32 = -1;
pub const STEP_CONTINUE: i32 = 0;
pub const STEP_NEXT_REQUEST: i32 = 1;
pub const STEP_DONE: i32 = 3;

pub const ERROR_INVALID_REQUEST: i32 = 1;
pub const ERROR_UNAUTHENTICATED: i32 = 2;
pub const ERROR_FORBIDDEN: i32 = 3;
pub const ERROR_QUOTA_EXHAUSTED: i32 = 4;
pub const ERROR_MODEL_NOT_FOUND: i32 = 5;
pub const ERROR_RATE_LIMITED: i32 = 6;
pub const ERROR_OVERLOADED: i32 = 9;
pub const ERROR_UPSTREAM_FAILURE: i32 = 10;
pub const ERROR_UPSTREAM_TIMEOUT: i32 = 11;
pub const ERROR_PROTOCOL_ERROR: i32 = 12;
pub const ERROR_UNSUPPORTED: i32 = 13;
pub const ERROR_INTERNAL: i32 = 15;

pub const FINISH_STOP: i32 = 1;
pub const FINISH_LENGTH: i32 = 2;

pub const CHAT_STREAM: u32 = 1;
pub const SETTING_SECRET: u32 = 1;
pub const SETTING_REQUIRED: u32 = 2;
pub const FRAMING_WHOLE: i32 = 0;
pub const END_COMPLETE: i32 = 0;

/// UTF-8 of a known size, or bytes: both have one layout.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Str {
    pub data: *const u8,
    pub size: u64,
}

impl Str {
    pub const EMPTY: Str = Str { data: core::ptr::null(), size: 0 };

    pub const fn of(text: &'static str) -> Str {
        Str { data: text.as_ptr(), size: text.len() as u64 }
    }
    pub fn view(bytes: &[u8]) -> Str {
        Str { data: bytes.as_ptr(), size: bytes.len() as u64 }
    }
    /// # Safety
    /// What the host passes is valid until the call returns.
    pub unsafe fn bytes(&self) -> &[u8] {
        if self.data.is_null() || self.size == 0 {
            return &[];
        }
        core::slice::from_raw_parts(self.data, self.size as usize)
    }
}

#[repr(C)]
pub struct Entry {
    pub struct_size: u32,
    pub abi_major: u16,
    pub abi_minor: u16,
    pub abi_minor_required: u16,
    pub reserved: [u16; 3],
    pub init: extern "C" fn(*const c_void) -> i32,
    pub deinit: extern "C" fn(),
    pub get_interface: extern "C" fn(*const c_char) -> *const c_void,
}

#[repr(C)]
pub struct Setting {
    pub struct_size: u32,
    pub flags: u32,
    pub name: Str,
    pub description: Str,
    pub default_value: Str,
}

#[repr(C)]
pub struct Descriptor {
    pub struct_size: u32,
    pub reserved: u32,
    pub provider_id: Str,
    pub display_name: Str,
    pub vendor: Str,
    pub version: Str,
    pub default_endpoint: Str,
    pub alias_count: u32,
    pub setting_count: u32,
    pub host_count: u32,
    pub capability_count: u32,
    pub alias: extern "C" fn(u32) -> Str,
    pub setting: extern "C" fn(u32) -> *const Setting,
    pub host: extern "C" fn(u32) -> Str,
    pub capability: extern "C" fn(u32) -> Str,
    pub row_settings_schema: Str,
}

#[repr(C)]
pub struct Error {
    pub struct_size: u32,
    pub kind: i32,
    pub upstream_status: i32,
    pub reserved: i32,
    pub retry_after_ms: i64,
    pub message: Str,
    pub code: Str,
    pub field: Str,
}

#[repr(C)]
pub struct Sink {
    pub struct_size: u32,
    pub reserved: u32,
    pub context: *mut c_void,
    pub text: extern "C" fn(*mut c_void, u32, Str),
    pub reasoning: extern "C" fn(*mut c_void, u32, Str),
    pub refusal: extern "C" fn(*mut c_void, u32, Str),
    pub tool_call: extern "C" fn(*mut c_void, u32, u32, Str, Str, Str),
    pub usage: extern "C" fn(*mut c_void, *const c_void),
    pub finish: extern "C" fn(*mut c_void, u32, i32),
    pub extra: extern "C" fn(*mut c_void, i32, u32, u32, Str, Str),
    pub error: extern "C" fn(*mut c_void, *const Error),
    pub wait: extern "C" fn(*mut c_void, u64),
    pub get_extension: extern "C" fn(*mut c_void, *const c_char) -> *const c_void,
}

#[repr(C)]
pub struct Call {
    pub struct_size: u32,
    pub reserved: u32,
    pub now_unix_ms: u64,
    pub sink: *const Sink,
}

#[repr(C)]
pub struct ChatRequest {
    pub struct_size: u32,
    pub flags: u32,
    pub json: Str,
    pub model: Str,
    pub endpoint: Str,
    pub max_tokens: i64,
    pub temperature: f64,
    pub top_p: f64,
    pub message_count: u32,
    pub reserved: u32,
    pub message: extern "C" fn(*const ChatRequest, u32) -> *const c_void,
    pub implementation: *const c_void,
}

#[repr(C)]
pub struct HttpBuilder {
    pub struct_size: u32,
    pub reserved: u32,
    pub context: *mut c_void,
    pub method: extern "C" fn(*mut c_void, Str) -> i32,
    pub url: extern "C" fn(*mut c_void, Str) -> i32,
    pub header: extern "C" fn(*mut c_void, Str, Str) -> i32,
    pub body: extern "C" fn(*mut c_void, Str) -> i32,
    pub framing: extern "C" fn(*mut c_void, i32) -> i32,
}

#[repr(C)]
pub struct HttpHead {
    pub struct_size: u32,
    pub status: u32,
    pub header_count: u32,
    pub reserved: u32,
    pub header: extern "C" fn(*const HttpHead, u32, *mut Str, *mut Str) -> i32,
    pub find: extern "C" fn(*const HttpHead, Str, *mut Str) -> i32,
    pub implementation: *const c_void,
}

#[repr(C)]
pub struct HttpData {
    pub struct_size: u32,
    pub reserved: u32,
    pub bytes: Str,
    pub event: Str,
    pub id: Str,
}

#[repr(C)]
pub struct SessionFunctions {
    pub struct_size: u32,
    pub reserved: u32,
    pub next_request: extern "C" fn(*mut c_void, *const Call, *const HttpBuilder) -> i32,
    pub on_head: extern "C" fn(*mut c_void, *const Call, *const HttpHead) -> i32,
    pub on_data: extern "C" fn(*mut c_void, *const Call, *const HttpData) -> i32,
    pub on_end: extern "C" fn(*mut c_void, *const Call, i32) -> i32,
    pub on_wake: extern "C" fn(*mut c_void, *const Call) -> i32,
    pub end: extern "C" fn(*mut c_void),
}

#[repr(C)]
pub struct Chat {
    pub struct_size: u32,
    pub reserved: u32,
    pub create: extern "C" fn(*const c_void, *const Call, *mut *mut c_void) -> i32,
    pub destroy: extern "C" fn(*mut c_void),
    pub begin: extern "C" fn(*mut c_void, *const Call, *const ChatRequest, u64, *mut *mut c_void) -> i32,
    pub session: *const SessionFunctions,
}

// The tables are constants whose pointers lead to constants.
unsafe impl Sync for Entry {}
unsafe impl Sync for Setting {}
unsafe impl Sync for Descriptor {}
unsafe impl Sync for SessionFunctions {}
unsafe impl Sync for Chat {}

/// The ELF note that tells who this is without running it (aim/abi/export.h).
#[repr(C, align(4))]
pub struct Note<const N: usize> {
    pub name_size: u32,
    pub text_size: u32,
    pub kind: u32,
    pub name: [u8; 4],
    pub text: [u8; N],
}
