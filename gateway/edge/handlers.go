package edge

import (
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/loongclaw/loongclaw/gateway/access"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// agentName is who answers, as the original has it.
const agentName = "熊大"

// health is the gateway's own liveness. It never reaches the agent.
func (c *Core) health(e echo.Context) error {
	x, now := of(e), chat.At(c.cfg.Now())
	err := x.respond(http.StatusOK, struct {
		Status    string    `json:"status"`
		Agent     string    `json:"agent"`
		Timestamp chat.Time `json:"timestamp"`
		Version   string    `json:"version"`
	}{"ok", agentName, now, c.cfg.Version})
	sent := x.head.Header
	// What a proxy or a page says of itself stands in the answer's headers.
	if err == nil && len(c.cfg.Proxies) == 0 && sent.Get("Origin") == "" && sent.Get(chat.HeaderRequestID) == "" {
		x.d.Respond.Stamp = now.String()
	}
	return err
}

// ready needs no credential, so it says nothing but yes or no; with one it may say
// how the user's own agent is.
func (c *Core) ready(e echo.Context) error {
	x := of(e)
	if c.cfg.AsksReady {
		if x.facts.Ready == nil {
			return ask{Question{Ready: true}}
		}
		if !*x.facts.Ready {
			return fault.New(fault.CodeUnavailable, "the agent is not ready", "wait; if it stays, look at the agent's log and at AGENT_URL")
		}
	}
	if secret := authorization(x.head); secret != "" && c.cfg.AsksAgent {
		if err := x.authenticate(secret); err != nil {
			return err
		}
		if x.facts.Agent == "" {
			return ask{Question{Agent: true}}
		}
		return x.respond(http.StatusOK, map[string]string{"status": "ready", "agent": x.facts.Agent})
	}
	return x.respond(http.StatusOK, map[string]string{"status": "ready"})
}

// forward sends a request on to its user's agent.
func (c *Core) forward(r chat.Route) echo.HandlerFunc {
	most := maxBody(r)
	return func(e echo.Context) error {
		x := of(e)
		if err := checkParams(e); err != nil {
			return err
		}
		method := x.head.Method
		if method == http.MethodHead {
			method = http.MethodGet
		}
		if err := checkKey(x.head.Header); err != nil {
			return err
		}
		if x.head.Length > most {
			return ErrBodyTooLarge
		}
		set, err := c.passHeader(x.id, x.requestID(), method, x.path, x.now())
		if err != nil {
			return err
		}
		if r.Path == chat.PathConfig {
			set.Set(chat.HeaderPublicPort, x.port())
		}
		if r.Path == chat.PathServerGrant {
			set.Set(chat.HeaderPublicURL, x.publicURL())
		}
		if r.Path == chat.PathAttached {
			delete(x.header, "Cache-Control") // the agent says what may be kept: by its hash a file never changes
		}
		repeat := method == http.MethodGet || keyed(method, r.Path) && c.key(set, x.head.Header, x.facts)
		target := x.path
		if x.query != "" {
			target += "?" + x.query
		}
		x.d.Forward = &Forward{
			Upstreams: c.selectUpstreams(x.id.User, x.facts, repeat), Method: method, Target: target,
			Drop: private(x.head.Header), Set: set, MaxBody: most, Stream: r.Streams(), Pausable: r.Path == chat.PathList,
			Admin: slices.Contains(x.id.Scopes, access.ScopeAdmin),
		}
		return nil
	}
}

// private lists the headers that are between client and gateway, or that only a
// gateway may say.
func private(h http.Header) []string {
	var names []string
	for name := range h {
		if isPrivate(name) {
			names = append(names, name)
		}
	}
	return names
}

func isPrivate(name string) bool {
	is := func(whole string) bool { return strings.EqualFold(name, whole) }
	begins := func(with string) bool { return len(name) >= len(with) && strings.EqualFold(name[:len(with)], with) }
	return is("authorization") || is("cookie") || is("forwarded") || is("x-real-ip") || is("true-client-ip") ||
		begins("x-loongclaw-") || begins("cf-") || begins("x-forwarded-")
}

// checkParams keeps out ids and file names that no honest client sends. The
// path is escaped here, so this is the one place that decodes it.
func checkParams(e echo.Context) error {
	for _, name := range e.ParamNames() {
		v, err := url.PathUnescape(e.Param(name))
		if err != nil {
			return fault.New(fault.CodeInvalidRequest, "the path has a broken percent-encoding", "encode each part of the path once")
		}
		switch name {
		case "session":
			err = chat.CheckSession(v)
		case "*":
			err = checkFile(v)
			if e.Path() == chat.PathOpenAIModel {
				err = checkModel(v)
			}
		default:
			if chat.CheckSession(v) != nil {
				err = fault.New(fault.CodeInvalidRequest, "the id in the path cannot be an id", "use the id as it came")
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// maxModel is the longest name of a model that is asked about, in bytes.
const maxModel = 256

// checkModel keeps out what no model is called; the agent knows which there are.
// Names of other providers' models have slashes.
func checkModel(name string) error {
	dots := slices.ContainsFunc(strings.Split(name, "/"), func(part string) bool { return part == "." || part == ".." })
	if name == "" || len(name) > maxModel || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) || dots {
		return fault.New(fault.CodeNotFound, "there is no model of this name", "GET "+chat.PathOpenAIModels+" lists what there is").About("model")
	}
	return nil
}

// maxFilePath is the longest name of a file, in bytes.
const maxFilePath = 1024

func checkFile(name string) error {
	bad := name == "" || len(name) > maxFilePath || strings.ContainsFunc(name, unicode.IsControl) ||
		strings.Contains(name, `\`) || strings.HasPrefix(name, "/")
	for part := range strings.SplitSeq(name, "/") {
		bad = bad || part == ".." || part == "."
	}
	if bad {
		return fault.New(fault.CodeInvalidRequest, "the path cannot name a file of the workspace", "use a path below the workspace, without .. and control characters")
	}
	return nil
}

// page is the one page, under every address that it gives itself.
func (c *Core) page(e echo.Context) error {
	x := of(e)
	switch err := checkParams(e); {
	case err != nil && x.browses():
		return echo.ErrNotFound // a conversation that there cannot be
	case err != nil:
		return err
	}
	delete(x.header, "Content-Type")
	x.header["Content-Security-Policy"] = []string{pagePolicy(x.host)}
	x.header["Permissions-Policy"] = permissions
	x.header["Cross-Origin-Opener-Policy"] = sameOrigin
	x.header["Cache-Control"] = []string{"no-cache"}
	x.d.Asset = &Asset{Name: "index.html", Status: http.StatusOK}
	return nil
}

// pagePolicy lets the page run its own files and talk to its own host only. The
// socket's address is spelled out for browsers whose 'self' does not cover it.
func pagePolicy(host string) string {
	connect := "'self'"
	if host != "" && !strings.ContainsFunc(host, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && !strings.ContainsRune(".-:[]", r)
	}) {
		connect += " ws://" + host + " wss://" + host
	}
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
		"manifest-src 'self'; connect-src " + connect + "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
		"require-trusted-types-for 'script'; trusted-types default dompurify loongclaw"
}

// asset is a built file. Its name holds a hash of what is in it.
func (c *Core) asset(e echo.Context) error {
	x := of(e)
	name := "assets/" + e.Param("*")
	if path.Clean(name) != name || strings.ContainsAny(name, `%\`) {
		return echo.ErrNotFound
	}
	x.header["Cache-Control"] = []string{"public, max-age=31536000, immutable"}
	x.d.Asset = &Asset{Name: name, Status: http.StatusOK}
	return nil
}

func (c *Core) rootFile(e echo.Context) error {
	x := of(e)
	x.header["Cache-Control"] = []string{"public, max-age=3600"}
	x.d.Asset = &Asset{Name: strings.TrimPrefix(x.path, "/"), Status: http.StatusOK}
	return nil
}
