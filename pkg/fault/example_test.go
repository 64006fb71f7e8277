package fault_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/loongclaw/loongclaw/pkg/fault"
)

// A fault says what happened and what to do next. Its cause is for logs alone.
func ExampleWrap() {
	cause := errors.New("dial tcp 10.0.0.7: refused")
	err := fmt.Errorf("reading the list: %w",
		fault.Wrap(cause, fault.CodeStoreFailed, "the store did not answer", "send it again").After(2*time.Second))

	f := fault.From(err)
	fmt.Println(f.Status(), fault.CodeOf(err), f.RetrySeconds(), errors.Is(err, cause))
	fmt.Println(string(f.With("req_1").JSON(fault.Own)))
	// Output:
	// 503 store_unavailable 2 true
	// {"error":"the store did not answer","code":"store_unavailable","hint":"send it again","requestId":"req_1","retryAfter":2}
}

// An error that is no fault is one of ours to mend, and says nothing to a client.
func ExampleFrom() {
	f := fault.From(errors.New("index out of range"))
	fmt.Println(f.Status(), f.Code, f.Message)
	// Output:
	// 500 internal internal error
}

// Clients of OpenAI's API get the same error in the form that they know.
func ExampleDialectOf() {
	f := fault.New(fault.CodeUnsupported, "n other than 1 is not served here", "ask once for each answer").About("n")
	fmt.Println(string(f.JSON(fault.DialectOf("/v1/chat/completions"))))
	// Output:
	// {"error":{"message":"n other than 1 is not served here","type":"invalid_request_error","param":"n","code":"unsupported","hint":"ask once for each answer"}}
}
