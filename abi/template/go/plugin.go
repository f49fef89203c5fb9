// A provider plugin in Go: the same provider as abi/template/c. Build it with
//
//	CGO_CFLAGS="-I<tree>/abi/include" go build -buildmode=c-shared -o template_go.so \
//	    -ldflags '-s -w -extldflags "-Wl,--version-script=<tree>/abi/cmake/plugin.map"' .
//
// Go's run time starts threads, installs signal handlers and needs static thread-local storage, so the gateway takes such a file
// only when PLUGIN_SHA256_ALLOW names its hash; abi/docs/other_languages.md says what that means.
package main

// #include "tables.h"
import "C"

import (
	"encoding/json"
	"strings"
	"sync"
	"unsafe"
)

type session struct {
	url, request, answer []byte
	status               uint32
}

// Sessions by their number. A pointer into Go's memory must not stay with the host.
var (
	mutex    sync.Mutex
	sessions = map[uintptr]*session{}
	last     uintptr
)

func find(id C.uintptr_t) *session {
	mutex.Lock()
	defer mutex.Unlock()
	return sessions[uintptr(id)]
}

func text(message string) (*C.char, C.uint64_t) {
	bytes := []byte(message + "\x00")
	return (*C.char)(unsafe.Pointer(&bytes[0])), C.uint64_t(len(message))
}

func fail(call *C.aim_call, kind, status int32, retryAfterMs int64, message string) C.int32_t {
	data, size := text(message)
	return C.Fail(call, C.int32_t(kind), C.int32_t(status), C.int64_t(retryAfterMs), data, size)
}

// A panic must not leave the plugin: it becomes a failure.
func recovered(call *C.aim_call, result *C.int32_t) {
	if recover() != nil {
		*result = fail(call, C.AIM_ERROR_INTERNAL, 0, -1, "the plugin panicked")
	}
}

//export goBegin
func goBegin(endpoint *C.char, endpointSize C.uint64_t, body *C.char, bodySize C.uint64_t) C.uintptr_t {
	// The request is gone when this function returns: copy what is needed later.
	made := &session{
		url:     append(C.GoBytes(unsafe.Pointer(endpoint), C.int(endpointSize)), "/chat/completions"...),
		request: C.GoBytes(unsafe.Pointer(body), C.int(bodySize)),
	}
	mutex.Lock()
	defer mutex.Unlock()
	last++
	sessions[last] = made
	return C.uintptr_t(last)
}

//export goNextRequest
func goNextRequest(id C.uintptr_t, call *C.aim_call, builder *C.aim_http_builder) (result C.int32_t) {
	defer recovered(call, &result)
	this := find(id)
	url := (*C.char)(unsafe.Pointer(&this.url[0]))
	body := unsafe.Pointer(&this.request[0])
	if C.DescribeRequest(builder, url, C.uint64_t(len(this.url)), body, C.uint64_t(len(this.request))) != C.AIM_OK {
		return fail(call, C.AIM_ERROR_INTERNAL, 0, -1, "the host refused the request")
	}
	return C.AIM_OK
}

//export goOnHead
func goOnHead(id C.uintptr_t, call *C.aim_call, head *C.aim_http_head) (result C.int32_t) {
	defer recovered(call, &result)
	find(id).status = uint32(head.status)
	if head.status == 429 {
		hint := int64(C.RetryAfterSeconds(head))
		if hint > 0 {
			hint *= 1000
		}
		return fail(call, C.AIM_ERROR_RATE_LIMITED, 429, hint, "too many requests")
	}
	return C.AIM_STEP_CONTINUE
}

//export goOnData
func goOnData(id C.uintptr_t, data unsafe.Pointer, size C.uint64_t) C.int32_t {
	this := find(id)
	this.answer = append(this.answer, C.GoBytes(data, C.int(size))...)
	return C.AIM_STEP_CONTINUE
}

func kindOf(status uint32) int32 {
	switch {
	case status == 401:
		return C.AIM_ERROR_UNAUTHENTICATED
	case status == 402:
		return C.AIM_ERROR_QUOTA_EXHAUSTED
	case status == 403:
		return C.AIM_ERROR_FORBIDDEN
	case status == 404:
		return C.AIM_ERROR_MODEL_NOT_FOUND
	case status == 408 || status == 504:
		return C.AIM_ERROR_UPSTREAM_TIMEOUT
	case status == 503 || status == 529:
		return C.AIM_ERROR_OVERLOADED
	case status >= 500:
		return C.AIM_ERROR_UPSTREAM_FAILURE
	}
	return C.AIM_ERROR_INVALID_REQUEST
}

// The string behind `"name":`, its escapes undone; false when it is not there or has no end. Good enough for a template; a real
// provider reads the whole answer with encoding/json.
func findText(answer, name string) (string, bool) {
	at := strings.Index(answer, name)
	if at < 0 {
		return "", false
	}
	rest := strings.TrimLeft(answer[at+len(name):], " :")
	if !strings.HasPrefix(rest, `"`) {
		return "", false
	}
	for i := 1; i < len(rest); i++ {
		if rest[i] == '\\' {
			i++
		} else if rest[i] == '"' {
			var plain string
			err := json.Unmarshal([]byte(rest[:i+1]), &plain)
			return plain, err == nil
		}
	}
	return "", false
}

//export goOnEnd
func goOnEnd(id C.uintptr_t, call *C.aim_call, how C.int32_t) (result C.int32_t) {
	defer recovered(call, &result)
	this := find(id)
	if this.status < 200 || this.status > 299 {
		return fail(call, kindOf(this.status), int32(this.status), -1, "the provider refused the request")
	}
	if how != C.AIM_END_COMPLETE {
		return fail(call, C.AIM_ERROR_UPSTREAM_FAILURE, 0, -1, "the answer was cut short")
	}
	content, ok := findText(string(this.answer), `"content"`)
	reason, known := findText(string(this.answer), `"finish_reason"`)
	if !ok || !known { // without a reason the answer is not known to be whole
		return fail(call, C.AIM_ERROR_PROTOCOL_ERROR, 200, -1, "the answer has no text or no finish reason")
	}
	data, size := text(content)
	C.SayText(call, data, size)
	if reason == "length" {
		C.SayFinish(call, C.AIM_FINISH_LENGTH)
	} else {
		C.SayFinish(call, C.AIM_FINISH_STOP)
	}
	return C.AIM_STEP_DONE
}

//export goEnd
func goEnd(id C.uintptr_t) {
	mutex.Lock()
	defer mutex.Unlock()
	delete(sessions, uintptr(id))
}

func main() {}
