package native

import (
	"io"
	"net/http"
	"testing"
)

// BenchmarkForward is one proxied request, client and agent included.
func BenchmarkForward(b *testing.B) {
	r := newRig(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, `{"sessions":1}`) }))
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			req, _ := http.NewRequest("GET", r.url+"/api/stats", nil)
			req.Header.Set("Authorization", "Bearer "+aliceToken)
			resp, err := r.client.Do(req)
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	})
}
