package e2e

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

// canaries are the secrets of a deployment, by what each is.
type canaries map[string]string

// found says which canaries stand in a text, as they are or in a usual encoding.
func (c canaries) found(text []byte) []string {
	var names []string
	for name, secret := range c {
		forms := []string{secret, url.QueryEscape(secret), hex.EncodeToString([]byte(secret))}
		for from := range 3 { // base64 at each of its three offsets
			if len(secret) > from+8 {
				whole := (len(secret) - from) / 3 * 3
				forms = append(forms, base64.StdEncoding.EncodeToString([]byte(secret[from:from+whole])))
			}
		}
		for _, form := range forms {
			if bytes.Contains(text, []byte(form)) {
				names = append(names, name)
				break
			}
		}
	}
	return names
}

// places are the texts of a deployment, by where each was seen.
type places struct {
	mu  sync.Mutex
	all map[string][]byte
}

func (p *places) add(where string, text []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all[where] = append(append(p.all[where], '\n'), text...)
}

// tree takes all files below a folder in.
func (p *places) tree(t *testing.T, where, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		body, err := os.ReadFile(path) //nolint:gosec // of the test's own folder
		p.add(where, append([]byte(path+"\n"), body...))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// deployment is a stack with a canary in every secret, and all that was seen of it.
type deployment struct {
	*world
	t       *testing.T
	secrets canaries
	seen    places
	dir     string
	env     map[string]string // of the agent
	gateEnv map[string]string
	issuer  ed25519.PrivateKey
}

// providerNames are the providers, each with its own key; all are the stand-in.
var providerNames = []string{"openai", "deepseek", "glm", "kimi", "anthropic", "ollama"}

const loginCode = "CANARY-login-code-5a07"

func newDeployment(t *testing.T) *deployment {
	t.Helper()
	h := &deployment{t: t, dir: t.TempDir(), seen: places{all: map[string][]byte{}}, secrets: canaries{
		"token of alice": "CANARY-token-alice-2b41", "token of a reader": "CANARY-token-reader-9e02", "login code": loginCode,
		"a stranger's token": "CANARY-stranger-token-77d1", "S3 secret key": "a-secret-key-for-tests", "something else of the agent's": "CANARY-unrelated-41c9",
		"Redis URL": "CANARY-redis-password-83fe",
	}}
	model, err := fakeprovider.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(model.Close)
	s3, err := testenv.StartS3(t.Context(), h.dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s3.Kill)
	h.env = s3.Env(s3.URL)
	h.env["LOG_LEVEL"], h.env["LOG_FILE"], h.env["LLM_PROVIDER"] = "debug", filepath.Join(h.dir, "agent.log"), strings.Join(providerNames, ",")
	h.env["UNRELATED_SECRET"], h.env["LLM_TIMEOUT"] = h.secrets["something else of the agent's"], "5s"
	for _, p := range providerNames {
		name := strings.ToUpper(p)
		h.secrets["key of "+p] = "sk-CANARY-" + p + "-c0ffee"
		h.env[name+"_API_KEY"], h.env[name+"_MODEL"] = h.secrets["key of "+p], "standin"
		h.env[map[string]string{"openai": "OPENAI_BASE_URL", "ollama": "OLLAMA_URL"}[p]+map[bool]string{true: name + "_API_URL"}[p != "openai" && p != "ollama"]] = model.URL
	}
	public, issuer, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	h.issuer = issuer
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	private, passPublic := keygen(t)
	h.secrets["pass key"] = private
	h.env["PASS_PUBLIC_KEYS"] = passPublic
	h.gateEnv = map[string]string{
		"PASS_PRIVATE_KEY": private, "LOONGCLAW_LOGIN_CODE": loginCode, "LOG_LEVEL": "debug", "LOG_FILE": filepath.Join(h.dir, "gateway.log"),
		"JWT_ISSUER": "issuer", "JWT_AUDIENCE": "loongclaw", "JWT_PUBLIC_KEYS": string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})),
		"RATE_LIMIT_AUTH": "1000/m",
	}
	stack, err := testenv.Up(t.Context(), testenv.Options{
		Bin: bin, Dir: h.dir, AgentEnv: h.env, GatewayEnv: h.gateEnv,
		Tokens: "alice:" + h.secrets["token of alice"] + ",reader:" + h.secrets["token of a reader"] + ":read",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stack.Down)
	h.world = &world{Stack: stack, model: model, s3: s3}
	return h
}

// keygen makes a pass key pair with the gateway's own command.
func keygen(t *testing.T) (private, public string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), bin.Gateway, "keygen").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch name {
		case "PASS_PRIVATE_KEY":
			private = value
		case "PASS_PUBLIC_KEYS":
			public = value
		}
	}
	if private == "" || public == "" {
		t.Fatalf("gateway keygen printed %q", out)
	}
	return private, public
}

// jwt makes a token of the issuer for a user.
func (h *deployment) jwt(user string) string {
	now := time.Now().Unix()
	token, err := testenv.SignToken(h.issuer, map[string]any{"iss": "issuer", "aud": "loongclaw", "sub": user, "iat": now, "exp": now + 600, "jti": "CANARY-jti"})
	if err != nil {
		h.t.Fatal(err)
	}
	return token
}

// ask makes a request, and keeps what came back.
func (h *deployment) ask(token, method, path string, body any, headers ...client.Header) client.Answer {
	h.t.Helper()
	a, err := client.New(h.Base, token, transport).Do(limited(h.t), method, path, body, headers...)
	if err != nil {
		h.t.Fatalf("%s %s: %v", method, path, err)
	}
	h.seen.add("answers", fmt.Appendf(nil, "%d %v %s", a.Status, a.Header, a.Body))
	return a
}

// turn runs a message of alice's over a socket, and allows what it is asked.
func (h *deployment) turn(session, message string) {
	h.t.Helper()
	s, err := client.New(h.Base, h.secrets["token of alice"], transport).Dial(limited(h.t), "/ws")
	if err != nil {
		h.t.Fatal(err)
	}
	defer s.Cut()
	if err := s.Send("chat", map[string]any{"message": message, "sessionId": session}); err != nil {
		h.t.Fatal(err)
	}
	for {
		e, err := s.Next()
		if err != nil {
			h.t.Fatal(err)
		}
		h.seen.add("events", e.Raw)
		switch e.Type {
		case "approval_required":
			if err := s.Send("approve", map[string]any{"approvalId": e.ApprovalID, "decision": "once"}); err != nil {
				h.t.Fatal(err)
			}
		case "run_finished", "error":
			return
		}
	}
}

// run runs one of the two programs with the deployment's environment.
func (h *deployment) run(where, program string, env map[string]string, args ...string) {
	h.t.Helper()
	cmd := exec.CommandContext(h.t.Context(), program, args...) // #nosec G204 -- what Build built
	cmd.Dir = h.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + h.dir}
	for k, v := range env {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	out, err := cmd.CombinedOutput()
	h.seen.add(where, fmt.Appendf(nil, "%v %v\n%s", args, err, out))
}
