package edgetest

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
	"github.com/loongclaw/loongclaw/pkg/pass"
)

// Target is a host under test.
type Target struct {
	Name string
	// Start runs the gateway with these variables and gives its base URL. It
	// registers its own end with t.Cleanup.
	Start func(t *testing.T, env map[string]string) string
	// AddrHeader is where the host learns the client's address in a test.
	AddrHeader string
	// TellsRefused says that the host knows an agent that is down from one that
	// broke off. workerd reports both as a lost connection.
	TellsRefused bool
}

// The users of every case. Limits count for each user, so cases that use them up
// have their own.
const (
	alice     = "alice-token-0123456789" // may do everything
	bob       = "bob-token-0123456789"   // may only read
	carol     = "carol-token-0123456789" // is for the rate limit
	dave      = "dave-token-0123456789"  // asks as an OpenAI client does
	origin    = "https://app.example.com"
	stolen    = "stolen-token-0123456789" // nobody's
	loginCode = "login-code-0123456789"
	maxChat   = 30 // RATE_LIMIT_CHAT
	maxAuth   = 10 // RATE_LIMIT_AUTH
)

// tokens is LOONGCLAW_TOKENS.
const tokens = "alice:" + alice + ",bob:" + bob + ":read,carol:" + carol + ",dave:" + dave

// testCase is one promise of the gateway.
type testCase struct {
	name string
	run  func(t *testing.T, s *suite)
}

// Run holds a host to every case, and gives the names of those that ran.
func Run(t *testing.T, target Target) []string {
	t.Helper()
	s := newSuite(t, target)
	var ran []string
	for _, c := range cases() {
		t.Run(c.name, func(t *testing.T) {
			ran = append(ran, c.name)
			s.agent.reset()
			c.run(t, s)
		})
	}
	return ran
}

// Names are the names of all cases.
func Names() []string {
	var names []string
	for _, c := range cases() {
		names = append(names, c.name)
	}
	return names
}

// cases are the same for every host.
func cases() []testCase {
	var all []testCase
	for _, group := range [][]testCase{entryCases(), headerCases(), accessCases(), jwtCases(), teamCases(), credentialCases(), cookieCases(), pageCases(), forwardCases(), bodyCases(), openAICases(), streamCases(), socketCases(), failureCases(), limitCases()} {
		all = append(all, group...)
	}
	return all
}

type suite struct {
	target Target
	base   string
	agent  *agent
	team   *team
	keys   []ed25519.PublicKey
	signer ed25519.PrivateKey
	client *http.Client
	addrs  int
}

func newSuite(t *testing.T, target Target) *suite {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &suite{target: target, agent: startAgent(t), team: startTeam(t), keys: []ed25519.PublicKey{public}, signer: private}
	s.base = target.Start(t, map[string]string{
		"AGENT_URL":            s.agent.url,
		"LOONGCLAW_TOKENS":     tokens,
		"PASS_PRIVATE_KEY":     pass.FormatPrivate(private),
		"JWT_ISSUER":           issuer,
		"JWT_AUDIENCE":         audience,
		"JWT_PUBLIC_KEYS":      strings.ReplaceAll(issuerPEM(t), "\n", `\n`), // as a variable of one line
		"ACCESS_TEAM_DOMAIN":   s.team.url,
		"ACCESS_AUD":           teamAudience,
		"ALLOWED_ORIGINS":      origin,
		"LOONGCLAW_LOGIN_CODE": loginCode,
		"RATE_LIMIT_CHAT":      fmt.Sprintf("%d/m", maxChat),
		"RATE_LIMIT_API":       "600/m",
		"RATE_LIMIT_AUTH":      fmt.Sprintf("%d/m", maxAuth),
	})
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	s.client = &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return s
}

// call is a request of a case.
type call struct {
	method string // GET when empty
	path   string
	token  string
	header map[string]string
	more   http.Header // several values of one name
	body   io.Reader
}

// answer is what came back.
type answer struct {
	status  int
	header  http.Header
	body    []byte
	dialect fault.Dialect // that of the path that was asked
}

// patience bounds every wait of the suite. It is a bound, not a measure.
const patience = 20 * time.Second

// send makes a call and reads the whole answer.
func (s *suite) send(t *testing.T, c call) answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	resp := s.open(ctx, t, c)
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return answer{status: resp.StatusCode, header: resp.Header, dialect: fault.DialectOf(c.path)} // its body is the socket, and has no end
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: reading the answer: %v", c.method, c.path, err)
	}
	return answer{resp.StatusCode, resp.Header, body, fault.DialectOf(c.path)}
}

// open makes a call and leaves the answer's body to the caller.
func (s *suite) open(ctx context.Context, t *testing.T, c call) *http.Response {
	t.Helper()
	resp, err := s.client.Do(s.request(ctx, t, c))
	if err != nil {
		t.Fatalf("%s %s: %v", c.method, c.path, err)
	}
	return resp
}

func (s *suite) request(ctx context.Context, t *testing.T, c call) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, c.method, s.base+c.path, c.body)
	if err != nil {
		t.Fatal(err)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	for name, value := range c.header {
		req.Header.Set(name, value)
	}
	for name, values := range c.more {
		for _, value := range values {
			req.Header.Add(name, value)
		}
	}
	if req.Header.Get(s.target.AddrHeader) == "" {
		req.Header.Set(s.target.AddrHeader, "192.0.2.1")
	}
	return req
}

// chat sends a message the way most clients do.
func (s *suite) chat(t *testing.T, token, message string) answer {
	t.Helper()
	return s.send(t, call{
		method: http.MethodPost, path: chat.PathChat, token: token,
		header: map[string]string{"Content-Type": "application/json"},
		body:   strings.NewReader(`{"message":` + quote(message) + `}`),
	})
}

// otherAddr gives an address that no case has used: wrong credentials are
// counted for each address.
func (s *suite) otherAddr() string {
	s.addrs++
	return fmt.Sprintf("198.18.%d.%d", s.addrs/250, s.addrs%250+1) // set aside for tests, as 192.0.2.0/24 is
}

func quote(text string) string {
	b, _ := json.Marshal(text) // a string: cannot fail
	return string(b)
}

// wantStatus fails when the status is another.
func (a answer) wantStatus(t *testing.T, want int) {
	t.Helper()
	if a.status != want {
		t.Fatalf("status: got %d, want %d; body: %.300s", a.status, want, a.body)
	}
}

// wantHeader fails when a header is another.
func (a answer) wantHeader(t *testing.T, name, want string) {
	t.Helper()
	if got := a.header.Get(name); got != want {
		t.Errorf("header %s: got %q, want %q", name, got, want)
	}
}

// wantFault fails when the answer is not this error in the contract's form.
func (a answer) wantFault(t *testing.T, code fault.Code) {
	t.Helper()
	a.wantStatus(t, code.Status())
	got := a.fault(t)
	if got.Code != string(code) {
		t.Errorf("code: got %q, want %q", got.Code, code)
	}
	if got.Message == "" || got.Hint == "" {
		t.Errorf("error %q and hint %q: want both", got.Message, got.Hint)
	}
	if id := a.header.Get(chat.HeaderRequestID); got.RequestID == "" || got.RequestID != id {
		t.Errorf("requestId: got %q, want that of the header %q", got.RequestID, id)
	}
	if kind := a.header.Get("Content-Type"); !strings.HasPrefix(kind, "application/json") {
		t.Errorf("Content-Type: got %q, want JSON", kind)
	}
	if s := code.Status(); (s == http.StatusTooManyRequests || s == http.StatusServiceUnavailable) && a.header.Get("Retry-After") == "" {
		t.Error("Retry-After is missing")
	}
	if bytes.Contains(a.body, []byte("goroutine")) {
		t.Errorf("the error shows a stack: %s", a.body)
	}
}

// told is what an error tells, whatever its dialect.
type told struct{ Message, Type, Code, Hint, RequestID string }

// fault reads the error in the dialect of its path.
func (a answer) fault(t *testing.T) told {
	t.Helper()
	var own struct{ Error, Code, Hint, RequestID string }
	var openAI struct {
		Error struct {
			told
			Param *string
		}
	}
	into := any(&own)
	if a.dialect == fault.OpenAI {
		into = &openAI
	}
	if err := json.Unmarshal(a.body, into); err != nil {
		t.Fatalf("the error is not JSON of its path: %v in %.300s", err, a.body)
	}
	if a.dialect == fault.OpenAI {
		if openAI.Error.Type == "" || !bytes.Contains(a.body, []byte(`"param":`)) {
			t.Errorf("an OpenAI client finds no type or no param: %s", a.body)
		}
		return openAI.Error.told
	}
	return told{Message: own.Error, Code: own.Code, Hint: own.Hint, RequestID: own.RequestID}
}

// wantAgentUntouched fails when the agent was asked anything.
func (s *suite) wantAgentUntouched(t *testing.T) {
	t.Helper()
	if seen := s.agent.requests(); len(seen) != 0 {
		t.Errorf("the agent was asked %s %s; want nothing", seen[0].method, seen[0].uri)
	}
}
