package page

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

// verdict is what the script says of a page.
type verdict struct {
	Version, Trouble, Seen string
	Scores                 map[string]int
	Failed, Measures       []string
}

// tries is how often a page is looked at before it is found slow: what else a
// machine does makes it slower, and never faster.
const tries = 3

// patience is how long one look may take.
const patience = 4 * time.Minute

func TestPhoneScores(t *testing.T) {
	s := up(t)
	for _, c := range []struct {
		name, token, path string
		least             int
		fill              func(*testing.T, *client.Client)
	}{
		{"a new account", tokens[0], "/", 95, func(*testing.T, *client.Client) {}},
		{"200 conversations", tokens[1], "/", 90, conversations},
		{"500 messages", tokens[2], "/s/long", 90, messages},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.fill(t, client.New(s.Base, c.token, transport))
			best := -1
			for range tries {
				v := look(t, s.Base+c.path, c.token)
				t.Logf("Lighthouse %s: %v, %s", v.Version, v.Scores, strings.Join(v.Measures, ", "))
				if v.Trouble != "" || !strings.HasSuffix(v.Seen, c.path) {
					t.Fatalf("it looked at %s: %s", v.Seen, v.Trouble)
				}
				for _, category := range []string{"accessibility", "best-practices", "seo"} {
					if v.Scores[category] != 100 {
						t.Errorf("%s is %d, want 100: %s", category, v.Scores[category], strings.Join(v.Failed, "; "))
					}
				}
				if best = max(best, v.Scores["performance"]); best >= c.least {
					return
				}
			}
			t.Errorf("performance is %d at best, want at least %d", best, c.least)
		})
	}
}

var (
	tokens    = []string{"token-of-a-new-account", "token-of-many-conversations", "token-of-a-long-one"}
	transport = client.Transport()
)

func up(t *testing.T) *testenv.Stack {
	t.Helper()
	dir := t.TempDir()
	bin, err := testenv.Build(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	model, err := fakeprovider.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(model.Close)
	s, err := testenv.Up(t.Context(), testenv.Options{
		Bin: bin, Dir: dir, Model: model.URL,
		Tokens: fmt.Sprintf("new:%s,many:%s,long:%s", tokens[0], tokens[1], tokens[2]),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Down()
		if text := s.Logs(); t.Failed() {
			t.Log(text[max(0, len(text)-4<<10):])
		}
	})
	return s
}

// say has one answered message in a session.
func say(t *testing.T, c *client.Client, session, message, answer string) {
	t.Helper()
	script := fakeprovider.Say(message, fakeprovider.Round{Text: []string{answer}})
	body := map[string]string{"sessionId": session, "message": script.Message()}
	if err := c.Want(t.Context(), http.StatusOK, http.MethodPost, "/api/chat", body, nil); err != nil {
		t.Fatal(err)
	}
}

func conversations(t *testing.T, c *client.Client) {
	for i := range 200 {
		session := fmt.Sprintf("c%d", i)
		say(t, c, session, session, "Fine.")
		title := map[string]string{"title": fmt.Sprintf("Conversation %d 关于第 %d 件事", i, i)}
		if err := c.Want(t.Context(), http.StatusOK, http.MethodPatch, client.SessionPath(session, ""), title, nil); err != nil {
			t.Fatal(err)
		}
	}
}

func messages(t *testing.T, c *client.Client) {
	for i := range 250 {
		say(t, c, "long", fmt.Sprintf("q%d", i), fmt.Sprintf("## Answer %d\n\nSome **words**, a [link](https://example.org/%d) and `code`。**注意：**还有中文。\n\n- one\n- two\n- three\n\n| a | b |\n|---|---|\n| %d | 2 |\n\n%s", i, i, i, strings.Repeat("More words of the answer. ", 20)))
	}
}

func look(t *testing.T, address, token string) verdict {
	t.Helper()
	if _, err := os.Stat(filepath.Join("lighthouse", "node_modules")); err != nil {
		t.Fatal("the packages of lighthouse are not installed\nNext: make test-lighthouse, or npm ci in deploy/test/page/lighthouse")
	}
	chromium, err := testenv.Chromium()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	in := map[string]string{"address": address, "token": token, "chromium": chromium}
	var v verdict
	if err := testenv.RunJSON(exec.CommandContext(ctx, "node", "lighthouse/score.mjs"), in, &v); err != nil {
		t.Fatal(err)
	}
	return v
}
