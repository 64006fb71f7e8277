package workers

import (
	"net/http"

	"github.com/loongclaw/loongclaw/gateway/edge"
)

// What the core of the warm-up is made of. It is dropped afterwards, so its
// token and its key open nothing.
const (
	warmID    = "warm-up"                          // given, so that the core draws none
	warmToken = "warm-up-token-that-opens-nothing" //nolint:gosec // it opens nothing
	warmKey   = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
)

// warm takes a core of its own through every kind of decision, so that the code
// is compiled before the first request. It answers with nothing, or with what
// went wrong.
func warm(configure Configure) string {
	core, err := configure(map[string]string{
		"LOONGCLAW_TOKENS": "warm:" + warmToken,
		"PASS_PRIVATE_KEY": warmKey,
		"ALLOWED_ORIGINS":  "https://warm.example.com",
	})
	if err != nil {
		return err.Error()
	}
	allowed := edge.LimitAnswer{Allowed: true}
	answers := edge.Facts{Limits: map[string]edge.LimitAnswer{"chat:warm": allowed, "api:warm": allowed}}
	for _, h := range []edge.Head{
		{Method: http.MethodGet, Target: "/health"},
		{Method: http.MethodGet, Target: "/"},
		{Method: http.MethodGet, Target: "/api/stats"},
		{Method: http.MethodPost, Target: "/api/chat"},
		{Method: http.MethodPost, Target: "/v1/chat/completions"},
		{Method: http.MethodGet, Target: "/api/sessions/warm/events?after="},
		{Method: http.MethodOptions, Target: "/api/chat"},
	} {
		for _, facts := range []edge.Facts{{}, answers} {
			for _, secret := range []string{"", "wrong", warmToken} {
				h.Header = http.Header{"Origin": {"https://warm.example.com"}}
				if secret != "" {
					h.Header.Set("Authorization", "Bearer "+secret)
				}
				h.Host, h.RemoteAddr, h.RequestID = "warm.example.com", "192.0.2.1", warmID
				encode(core.Decide(h, facts))
			}
		}
	}
	return ""
}
