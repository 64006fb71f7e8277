package edgetest

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/gateway/access"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// credential is one that does not count.
type credential struct {
	name string
	make func(t *testing.T, s *suite) proof
}

// proof is what a client shows.
type proof struct {
	header map[string]string
	more   http.Header // several of one name
	query  string
	// socketOnly: elsewhere it has another meaning.
	socketOnly bool
}

// credentialCases hold every credential that does not count to the same answer, on
// a path and on a socket: 401, which tells nothing and never wakes the agent.
func credentialCases() []testCase {
	var all []testCase
	for _, group := range [][]credential{staticCredentials(), sessionCredentials(), ticketCredentials(), jwtCredentials(), assertionCredentials()} {
		for _, c := range group {
			all = append(all, testCase{"401: " + c.name, func(t *testing.T, s *suite) { s.wantRefused(t, c.make(t, s)) }})
		}
	}
	return all
}

func (s *suite) wantRefused(t *testing.T, p proof) {
	t.Helper()
	with := map[string]string{}
	for name, value := range p.header {
		with[name] = value
	}
	with[s.target.AddrHeader] = s.otherAddr()
	answers := []answer{s.send(t, upgradeCall(chat.PathSocket+p.query, with, p.more))}
	if !p.socketOnly {
		answers = append(answers, s.send(t, call{path: chat.PathStats + p.query, header: with, more: p.more}))
	}
	for _, a := range answers {
		a.wantFault(t, fault.CodeUnauthorized)
		if got := a.header.Get("WWW-Authenticate"); !strings.HasPrefix(got, "Bearer") {
			t.Errorf("WWW-Authenticate: got %q, want Bearer", got)
		}
		for name, value := range p.header {
			if len(value) > 16 && strings.Contains(string(a.body), value[len(value)-16:]) {
				t.Errorf("the answer repeats %s: %s", name, a.body)
			}
		}
	}
	s.wantAgentUntouched(t)
}

// bearing shows a bearer token.
func bearing(text string) proof {
	return proof{header: map[string]string{"Authorization": "Bearer " + text}}
}

// shown is a credential that needs neither test nor suite.
func shown(name string, p proof) credential {
	return credential{name, func(*testing.T, *suite) proof { return p }}
}

func withHeader(name, value string) proof { return proof{header: map[string]string{name: value}} }

func staticCredentials() []credential {
	return []credential{
		shown("a token that nobody has", bearing(stolen)),
		shown("a token with one character more", bearing(alice+"x")),
		shown("a token with one character less", bearing(alice[:len(alice)-1])),
		shown("a token in another case", bearing(strings.ToUpper(alice))),
		shown("a user's name instead of the token", bearing("alice")),
		shown("an entry of LOONGCLAW_TOKENS", bearing("alice:"+alice)),
		shown("a token that is too long", bearing(strings.Repeat("x", 6000))),
		shown("a login code", bearing(loginCode)),
		shown("no token after the scheme", withHeader("Authorization", "Bearer")),
		shown("a token without a scheme", withHeader("Authorization", alice)),
		shown("a token with the scheme Basic", withHeader("Authorization", "Basic YWxpY2U6YWxpY2UtdG9rZW4tMDEyMzQ1Njc4OQ==")),
		shown("a token with the scheme Token", withHeader("Authorization", "Token "+alice)),
		shown("a token with a colon after the scheme", withHeader("Authorization", "Bearer: "+alice)),
		shown("two tokens in one header", bearing(alice+", Bearer "+alice)),
		shown("two headers, the right token first", proof{more: http.Header{"Authorization": {"Bearer " + alice, "Bearer " + stolen}}}),
		shown("two headers, the right token last", proof{more: http.Header{"Authorization": {"Bearer " + stolen, "Bearer " + alice}}}),
		shown("a token in X-Api-Key", withHeader("X-Api-Key", alice)),
		shown("a token in Proxy-Authorization", withHeader("Proxy-Authorization", "Bearer "+alice)),
		shown("a token in a cookie", withHeader("Cookie", "token="+alice+"; loongclaw="+alice)),
		shown("a token in the query", proof{query: "?token=" + alice + "&access_token=" + alice}),
		shown("a token as a ticket", proof{query: "?ticket=" + alice}),
		shown("a pass of the agent's", bearing("alice.read+chat+admin.1800000000")),
		shown("a subprotocol with a wrong token", withHeader("Sec-WebSocket-Protocol", "loongclaw, bearer."+stolen)),
		shown("two subprotocols with tokens", withHeader("Sec-WebSocket-Protocol", "loongclaw, bearer."+stolen+", bearer."+alice)),
	}
}

func sessionCredentials() []credential {
	return []credential{
		{"a session token that was cut", func(t *testing.T, s *suite) proof { text := s.session(t); return bearing(text[:len(text)-1]) }},
		{"a session token without its signature", func(t *testing.T, s *suite) proof {
			text, _, _ := strings.Cut(s.session(t), ".")
			return bearing(text + ".")
		}},
		{"a session token with a changed user", func(t *testing.T, s *suite) proof { text := s.session(t); return bearing(text[:10] + "A" + text[11:]) }},
		{"a session token with another key's signature", func(t *testing.T, _ *suite) proof {
			return bearing(mintSession(t, strangerKey, tokens, time.Now()))
		}},
		{"a session token that has expired", func(t *testing.T, s *suite) proof {
			return bearing(mintSession(t, s.signer, tokens, time.Now().Add(-access.SessionLifetime-time.Minute)))
		}},
		{"a session token of a static token that has gone", func(t *testing.T, s *suite) proof {
			return bearing(mintSession(t, s.signer, "alice:"+stolen, time.Now()))
		}},
		{"a session token with more scopes than its token has now", func(t *testing.T, s *suite) proof {
			return bearing(mintSession(t, s.signer, "bob:"+bob, time.Now()))
		}},
		{"a session token as a ticket", func(t *testing.T, s *suite) proof {
			return proof{query: "?ticket=" + s.session(t), socketOnly: true}
		}},
		{"a session cookie that was cut", func(t *testing.T, s *suite) proof {
			text := s.session(t)
			return withHeader("Cookie", s.cookieName()+"="+text[:len(text)-1])
		}},
		{"a session cookie under another name", func(t *testing.T, s *suite) proof {
			text := s.session(t)
			return withHeader("Cookie", "__Host-loongclaw="+text+"; loongclaw="+text+"; session="+text)
		}},
		{"a session cookie behind one that does not count", func(t *testing.T, s *suite) proof {
			return withHeader("Cookie", s.cookieName()+"="+stolen+"; "+s.cookieName()+"="+s.session(t))
		}},
		{"a wrong token beside a session cookie", func(t *testing.T, s *suite) proof {
			return proof{header: map[string]string{"Authorization": "Bearer " + stolen, "Cookie": s.cookieName() + "=" + s.session(t)}}
		}},
	}
}

func ticketCredentials() []credential {
	ticket := func(text string) proof { return proof{query: "?ticket=" + text} }
	grant := access.Identity{User: "alice", Scopes: access.AllScopes()}
	return []credential{
		{"a ticket of another key's", func(t *testing.T, _ *suite) proof { return ticket(mintTicket(t, strangerKey, grant, time.Now())) }},
		{"a ticket that has expired", func(t *testing.T, s *suite) proof {
			return ticket(mintTicket(t, s.signer, grant, time.Now().Add(-access.TicketLifetime-time.Second)))
		}},
		{"a ticket that was cut", func(t *testing.T, s *suite) proof {
			text := mintTicket(t, s.signer, grant, time.Now())
			return ticket(text[:len(text)-1])
		}},
		{"a ticket that was changed", func(t *testing.T, s *suite) proof {
			text := mintTicket(t, s.signer, grant, time.Now())
			return ticket(text[:12] + "A" + text[13:])
		}},
		{"a ticket without a signature", func(*testing.T, *suite) proof { return ticket("lct_e30.") }},
		{"a ticket that is too long", func(*testing.T, *suite) proof { return ticket("lct_" + strings.Repeat("e30", 2000) + ".e30") }},
		{"a ticket as a bearer token", func(t *testing.T, s *suite) proof { return bearing(mintTicket(t, s.signer, grant, time.Now())) }},
		{"a ticket of another user's than the token", func(t *testing.T, s *suite) proof {
			p := bearing(bob)
			p.query, p.socketOnly = "?ticket="+mintTicket(t, s.signer, grant, time.Now()), true
			return p
		}},
		{"a ticket beside a wrong token", func(t *testing.T, s *suite) proof {
			p := bearing(stolen)
			p.query = "?ticket=" + mintTicket(t, s.signer, grant, time.Now())
			return p
		}},
		{"a ticket that was used", func(t *testing.T, s *suite) proof {
			p := ticket(mintTicket(t, s.signer, grant, time.Now()))
			s.dial(t, chat.PathSocket+p.query, nil)
			return p
		}},
	}
}
