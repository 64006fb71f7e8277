package h1

import (
	"io"
	"net"
	"net/http"
	"testing"
)

// FuzzAnswers holds what comes out of any answer against what net/http makes of it.
func FuzzAnswers(f *testing.F) {
	for _, text := range answers {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := serve(t, func(_, _ int64, c net.Conn, _ *http.Request) bool {
			_, _ = io.WriteString(c, text)
			return false
		})
		want, got := ask(t, plain(), s.url), ask(t, fresh(), s.url)
		if want.status >= 100 && want.status != http.StatusSwitchingProtocols && got != want || want.failed && !got.failed {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}
