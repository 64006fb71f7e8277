package testenv

import (
	"context"
	"strings"
	"testing"
	"time"
)

func TestAProgramThatIsNeverReadyIsToldWithWhatItWrote(t *testing.T) {
	addr, err := FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	for script, want := range map[string]string{"echo gone; exit 3": "ended with code 3", "echo silent; exec sleep 60": context.DeadlineExceeded.Error()} {
		p, err := Start("/bin/sh", t.TempDir(), nil, "-c", script)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.Kill)
		err = p.ready(t.Context(), "http://"+addr, 300, time.Second)
		said, _, _ := strings.Cut(strings.TrimPrefix(script, "echo "), ";")
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasSuffix(err.Error(), "\n"+said+"\n") {
			t.Errorf("%s: %v", script, err)
		}
	}
}
