package chat

import (
	"testing"

	"github.com/loongclaw/loongclaw/pkg/fault"
)

func TestASubscriptionBeginsWithATail(t *testing.T) {
	f, err := ParseFrame([]byte(`{"type":"subscribe","data":{"sessionId":"s","tail":3}}`))
	if err != nil || f.Data.Tail == nil || *f.Data.Tail != 3 {
		t.Errorf("got %+v, %v", f, err)
	}
	if f, err := ParseFrame([]byte(`{"type":"subscribe","sessionId":"s"}`)); err != nil || f.Data.Tail != nil {
		t.Errorf("without one: %+v, %v", f, err)
	}
	for _, bad := range []string{`-1`, `"x"`, `1.5`, `99999999999999999999999`} {
		if _, err := ParseFrame([]byte(`{"type":"subscribe","data":{"sessionId":"s","tail":` + bad + `}}`)); fault.CodeOf(err) != fault.CodeInvalidRequest {
			t.Errorf("tail %s: %v, want invalid_request", bad, err)
		}
	}
}
