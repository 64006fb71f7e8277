package httpapi

import (
	"context"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loongclaw/loongclaw/pkg/fault"
)

func TestFarewellServesOnUntilThoseWhoAskHaveHeardIt(t *testing.T) {
	for name, tc := range map[string]struct {
		asked time.Duration // how long ago; 0 is never
		want  time.Duration
	}{
		"nobody asks":     {0, 0},
		"somebody once":   {time.Minute, 0},
		"somebody always": {time.Second, drainDelay},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := New(Config{Now: time.Now})
			s.SetReady()
			ask := func() *httptest.ResponseRecorder {
				w := httptest.NewRecorder()
				s.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/ready", nil))
				return w
			}
			if tc.asked > 0 {
				if w := ask(); w.Code != 200 || w.Header().Get("Connection") != "" {
					t.Errorf("%s: got %d %v", name, w.Code, w.Header())
				}
				time.Sleep(tc.asked)
			}
			begun := time.Now()
			s.Farewell(context.Background())
			if took := time.Since(begun); took != tc.want {
				t.Errorf("%s: took %v, want %v", name, took, tc.want)
			}
			w := ask()
			if w.Header().Get("Connection") != "close" {
				t.Errorf("%s: connections are kept: %v", name, w.Header())
			}
			refused(t, name, w, 503, fault.CodeDraining)
		})
	}
}
