package fault

// Code says what kind of error it is. Codes are part of the contract: a client
// may switch on them, so they are added to and never changed.
type Code string

// The codes, by status.
const (
	CodeInvalidRequest Code = "invalid_request"        // 400: a field has the wrong type or value
	CodeInvalidJSON    Code = "invalid_json"           // 400: the body or frame is not JSON
	CodeMissingMessage Code = "missing_message"        // 400: no message, or an empty one
	CodeInvalidSession Code = "invalid_session"        // 400: the session id cannot be an id
	CodeInvalidCursor  Code = "invalid_cursor"         // 400: not a cursor, or another session's
	CodeUnknownType    Code = "unknown_type"           // 400: a frame of a type that we do not know
	CodeUnsupported    Code = "unsupported"            // 400: a form of the request that we do not serve
	CodeUnauthorized   Code = "unauthorized"           // 401: no credential, or a wrong one
	CodeForbidden      Code = "forbidden"              // 403: a scope is missing
	CodeOriginRefused  Code = "origin_refused"         // 403: a browser page of another origin
	CodeNotFound       Code = "not_found"              // 404
	CodeMethod         Code = "method_not_allowed"     // 405
	CodeTimeout        Code = "request_timeout"        // 408: the request's body did not come in time
	CodeSessionBusy    Code = "session_busy"           // 409: too many messages wait
	CodeConflict       Code = "conflict"               // 409: somebody else changed it first
	CodeNewerVersion   Code = "newer_version"          // 409: a later version has written here
	CodeTooLarge       Code = "too_large"              // 413
	CodeMediaType      Code = "unsupported_media_type" // 415: the body is of another kind than the path takes
	CodeUnreadable     Code = "unsupported_media"      // 415: nothing can be read of such a file
	CodeIdempotency    Code = "idempotency_mismatch"   // 422: the key was used with another body
	CodeRateLimited    Code = "rate_limited"           // 429
	CodeTooManyRuns    Code = "too_many_runs"          // 429: MAX_CONCURRENT_RUNS are active
	CodeInternal       Code = "internal"               // 500
	CodeDamaged        Code = "session_damaged"        // 500: the store holds an object that cannot be right
	CodeProviderFailed Code = "provider_failed"        // 502: the model's provider broke off or refused
	CodeEmptyAnswer    Code = "empty_answer"           // 502: the model gave neither text nor tool calls
	CodeAgentFailed    Code = "agent_failed"           // 502: the agent broke off
	CodeUnavailable    Code = "unavailable"            // 503: not now
	CodeDraining       Code = "draining"               // 503: this process is about to stop
	CodeProviderBusy   Code = "provider_busy"          // 503: the provider's own 429
	CodeStoreFailed    Code = "store_unavailable"      // 503: the store did not take it; nothing was acknowledged
	CodeProviderTime   Code = "provider_timeout"       // 504
	CodeAgentTimeout   Code = "agent_timeout"          // 504
	CodeCancelled      Code = "cancelled"              // 499: the caller ended it
)

var statuses = map[Code]int{
	CodeInvalidRequest: 400, CodeInvalidJSON: 400, CodeMissingMessage: 400, CodeInvalidSession: 400,
	CodeInvalidCursor: 400, CodeUnknownType: 400, CodeUnsupported: 400,
	CodeUnauthorized: 401, CodeForbidden: 403, CodeOriginRefused: 403, CodeNotFound: 404, CodeMethod: 405, CodeTimeout: 408,
	CodeSessionBusy: 409, CodeConflict: 409, CodeNewerVersion: 409, CodeTooLarge: 413, CodeMediaType: 415, CodeUnreadable: 415, CodeIdempotency: 422,
	CodeRateLimited: 429, CodeTooManyRuns: 429, CodeCancelled: 499,
	CodeInternal: 500, CodeDamaged: 500, CodeProviderFailed: 502, CodeEmptyAnswer: 502, CodeAgentFailed: 502,
	CodeUnavailable: 503, CodeDraining: 503, CodeProviderBusy: 503, CodeStoreFailed: 503,
	CodeProviderTime: 504, CodeAgentTimeout: 504,
}

// defaults are the codes of statuses that came without one of ours.
var defaults = map[int]Code{
	400: CodeInvalidRequest, 401: CodeUnauthorized, 403: CodeForbidden, 404: CodeNotFound, 405: CodeMethod, 408: CodeTimeout,
	409: CodeConflict, 413: CodeTooLarge, 415: CodeMediaType, 422: CodeIdempotency, 429: CodeRateLimited,
	499: CodeCancelled, 502: CodeAgentFailed, 503: CodeUnavailable, 504: CodeAgentTimeout,
}

// Status is the HTTP status of the code, 500 for one that we do not know.
func (c Code) Status() int {
	if s, ok := statuses[c]; ok {
		return s
	}
	return 500
}

// CodeForStatus is the general code of an HTTP status.
func CodeForStatus(status int) Code {
	if c, ok := defaults[status]; ok {
		return c
	}
	return CodeInternal
}

// Codes lists every code, for the documentation's test.
func Codes() []Code {
	all := make([]Code, 0, len(statuses))
	for c := range statuses {
		all = append(all, c)
	}
	return all
}
