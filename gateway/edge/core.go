package edge

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/loongclaw/loongclaw/gateway/access"
	"github.com/loongclaw/loongclaw/gateway/limit"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
	"github.com/loongclaw/loongclaw/pkg/pass"
)

// Config is all that a core must know.
type Config struct {
	Version string
	// PublicURL is the address under which people reach this gateway, scheme and host;
	// empty where nobody has said.
	PublicURL string
	Tokens    access.Tokens
	JWT       *access.JWT              // nil when that way in is not configured
	Access    *access.CloudflareAccess // Cloudflare Access; nil when it is not configured
	// LoginCode can be redeemed once for a session of the first token's user.
	LoginCode string
	PassKey   ed25519.PrivateKey
	// Signer signs passes with PassKey, where a host can do so faster; nil is PassKey itself.
	Signer  crypto.Signer
	Agents  []string // base URLs; a host that knows more says so in Facts.Agents
	Origins access.Origins
	Proxies access.Proxies
	// Loopback says that only this machine can reach the host. It is what lets a
	// core be without tokens.
	Loopback bool
	Limits   limit.Rates
	// AsksReady: GET /ready asks the host for the agents' state. Without it the
	// answer is the edge's own.
	AsksReady bool
	// AsksAgent: GET /ready with a credential asks the host how the user's own agent
	// is, which sleeps while nobody needs it.
	AsksAgent bool
	// Spends says that the host remembers what is spent, so that tickets can be
	// given out.
	Spends bool
	Now    func() time.Time // time.Now when nil
	NewID  func() string    // random when nil
}

// Core decides. One core serves every request of a process, concurrently.
type Core struct {
	cfg      Config
	open     bool // no tokens, on loopback: everybody here is localUser
	sessions *access.Sessions
	tickets  *access.Tickets
	team     keySets
	login    [sha256.Size]byte
	passes   *passes
	agents   []Agent
	namer    access.Namer
	names    []atomic.Pointer[string] // of the tokens, once reckoned
	refusals refusals
	echo     *echo.Echo
}

// localUser is the one user of a gateway on loopback without tokens.
const localUser = "local"

// New makes a core. It refuses a configuration that would let strangers in; the
// error joins every fault, each with what to do.
func New(cfg Config) (*Core, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.NewID == nil {
		cfg.NewID = func() string { return strings.ToLower(rand.Text()) }
	}
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if cfg.Signer == nil {
		cfg.Signer = cfg.PassKey
	}
	sessions, err := access.NewSessions(cfg.PassKey, cfg.Tokens)
	if err != nil {
		return nil, err
	}
	tickets, err := access.NewTickets(cfg.PassKey)
	if err != nil {
		return nil, err
	}
	namer, err := access.NewNamer(cfg.PassKey)
	if err != nil {
		return nil, err
	}
	c := &Core{
		namer: namer, names: make([]atomic.Pointer[string], len(cfg.Tokens)),
		cfg: cfg, open: cfg.NoWayIn(), sessions: sessions, tickets: tickets,
		login: sha256.Sum256([]byte(cfg.LoginCode)), passes: newPasses(cfg.Signer),
	}
	for _, url := range cfg.Agents {
		c.agents = append(c.agents, Agent{URL: url})
	}
	c.echo = c.routes()
	return c, nil
}

// NoWayIn says that no credential is configured.
func (cfg Config) NoWayIn() bool { return len(cfg.Tokens) == 0 && cfg.JWT == nil && cfg.Access == nil }

// ConfigFault is why a core refuses a configuration.
type ConfigFault struct {
	Variables []string // it is about these: a fault in one of them may be its cause
	text      string
}

// Error says what is wrong, and what to do.
func (f *ConfigFault) Error() string { return f.text }

// check joins every fault. Each names its variables as an owner sets them.
func (cfg Config) check() error {
	var faults []error
	refuse := func(wrong bool, text string, variables ...string) {
		if wrong {
			faults = append(faults, &ConfigFault{variables, text})
		}
	}
	refuse(cfg.NoWayIn() && !cfg.Loopback,
		"listening beyond loopback without a way in: set LOONGCLAW_TOKENS=alice:TOKEN (`gateway token` prints a good TOKEN) or the variables of another way in (JWT_ISSUER, ACCESS_TEAM_DOMAIN), or LISTEN_ADDR=127.0.0.1:8787",
		"LOONGCLAW_TOKENS", "JWT_ISSUER", "ACCESS_TEAM_DOMAIN", "LISTEN_ADDR")
	refuse(cfg.LoginCode != "" && len(cfg.Tokens) == 0,
		"LOONGCLAW_LOGIN_CODE: is set without LOONGCLAW_TOKENS: it logs in the first token's user, so set one, or unset the code", "LOONGCLAW_TOKENS")
	refuse(cfg.LoginCode != "" && len(cfg.LoginCode) < access.MinToken,
		fmt.Sprintf("LOONGCLAW_LOGIN_CODE: is shorter than %d characters; `gateway token` prints a good one", access.MinToken), "LOONGCLAW_LOGIN_CODE")
	refuse(len(cfg.PassKey) != ed25519.PrivateKeySize,
		"PASS_PRIVATE_KEY: is not set; `gateway keygen` prints one, and the agent's PASS_PUBLIC_KEYS with it", "PASS_PRIVATE_KEY")
	refuse(len(cfg.Agents) == 0, "AGENT_URL: is not set; write the agent's address, such as http://127.0.0.1:8788", "AGENT_URL", "AGENT_URL_FILE")
	refuse(slices.ContainsFunc([]limit.Rate{cfg.Limits.Chat, cfg.Limits.API, cfg.Limits.Auth}, func(r limit.Rate) bool { return r.N < 1 || r.Per < time.Second }),
		"a rate limit is not set: RATE_LIMIT_CHAT, RATE_LIMIT_API and RATE_LIMIT_AUTH look like 30/m", "RATE_LIMIT_CHAT", "RATE_LIMIT_API", "RATE_LIMIT_AUTH")
	return errors.Join(faults...)
}

// Decide says what to do with a request. It never fails: what goes wrong inside
// is a decision to answer 500.
func (c *Core) Decide(h Head, f Facts) (d Decision) {
	x := newExchange(c, h, f)
	defer func() {
		if p := recover(); p != nil {
			x.d = Decision{}
			x.refuse(fault.Internal(fmt.Errorf("panic: %v", p)))
			d = x.decision()
		}
	}()
	u, err := url.ParseRequestURI(h.Target)
	if err != nil || (u.Path == "" && u.Opaque != "") {
		x.refuse(fault.New(fault.CodeInvalidRequest, "the request's path cannot be read", "percent-encode what is not plain text"))
		return x.decision()
	}
	x.path, x.query = u.EscapedPath(), u.RawQuery
	if x.path == "" {
		x.path = "/"
	}
	// OpenAI's clients join a base address and a path as they please.
	if bare := trimSlashes(x.path); bare != x.path && fault.DialectOf(bare) == fault.OpenAI {
		x.path, u.Path = bare, trimSlashes(u.Path)
	}
	// Routing always sees the escaped path, so that a %2F never becomes a slash
	// and a parameter is decoded exactly once, in param.
	*u = url.URL{Path: u.Path, RawPath: x.path, RawQuery: x.query}
	c.echo.ServeHTTP(x, x.request(u))
	return x.decision()
}

// trimSlashes leaves one slash at the beginning of a path and none at its end.
func trimSlashes(path string) string { return "/" + strings.Trim(path, "/") }

// PublicKey is what an agent needs to know this gateway's passes.
func (c *Core) PublicKey() string {
	public, _ := c.cfg.PassKey.Public().(ed25519.PublicKey)
	return pass.FormatPublic(public)
}

// limitQuestion is the question for one more of a class.
func (c *Core) limitQuestion(class, who string) LimitQuestion {
	r := c.cfg.Limits.Of(class)
	return LimitQuestion{Key: limit.Key(class, who), Class: class, N: r.N, Per: int(r.Per / time.Second)}
}

// answer finds the answer to a limit question among the facts.
func (f Facts) answer(q LimitQuestion) (LimitAnswer, bool) {
	if f.Limit != nil {
		return f.Limit(q), true
	}
	a, ok := f.Limits[q.Key]
	if !ok && q.OnlyReads && f.Lease != nil {
		return f.Lease(q.Key)
	}
	return a, ok
}

// spend asks for a key that can be spent once.
func (f Facts) spend(q SpendQuestion) (first, known bool) {
	if f.Spend != nil {
		return f.Spend(q), true
	}
	first, known = f.Spent[q.Key]
	return first, known
}

// expired reports whether an identity's credential has run out.
func (c *Core) expired(id Identity) bool {
	return id.Expires != 0 && c.cfg.Now().Unix() >= id.Expires
}

// passHeader signs a pass for one request to the agent and joins what else the
// gateway says to it.
func (c *Core) passHeader(id Identity, requestID, method, path string, now time.Time) (http.Header, error) {
	text, err := "", error(nil)
	if refused := c.refusals.take(id.User); refused != nil {
		text, err = c.passes.signWith(refused, id, method, path, now)
	} else {
		text, err = c.passes.sign(id, method, path, now)
	}
	if err != nil {
		return nil, err
	}
	return http.Header{canonicalPass: {text}, chat.HeaderRequestID: {requestID}}, nil
}
