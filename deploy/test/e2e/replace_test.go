package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
	"github.com/loongclaw/loongclaw/deploy/internal/load"
	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

// talkers are clients that never stop, half of them over WebSockets; strangers
// come with a new connection each time.
type talkers struct {
	all      []*load.Talker
	strange  atomic.Int64
	refusals sync.Map
	stop     context.CancelFunc
	alive    sync.WaitGroup
}

func talk(t *testing.T, w *world, n int) *talkers {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	k := &talkers{stop: stop}
	for i := range n {
		over := client.OverSSE
		if i%2 == 1 {
			over = client.OverWS
		}
		chunks := 12
		if i%4 > 1 {
			chunks = 120 // a stream that a restart finds open
		}
		x := &load.Talker{
			Client: client.New(w.Base, tokenOf(i), nil), Session: fmt.Sprintf("s%d", i),
			Over: over, Chunks: chunks, Delay: 25 * time.Millisecond, Pause: 50 * time.Millisecond,
		}
		k.all = append(k.all, x)
		k.alive.Go(func() { x.Talk(ctx) })
	}
	k.alive.Go(func() { k.knock(ctx, w.Base) })
	t.Cleanup(func() { stop(); k.alive.Wait() })
	return k
}

// knock asks again and again, over a new connection each time.
func (k *talkers) knock(ctx context.Context, base string) {
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}
	for ctx.Err() == nil {
		req, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodGet, base+"/api/stats", nil)
		if err != nil {
			return
		}
		req.Header.Set("Authorization", "Bearer "+tokenOf(users-1))
		res, err := c.Do(req)
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode != http.StatusOK {
				err = errors.New(res.Status)
			}
		}
		if err != nil {
			k.refusals.Store(time.Now().Format("15:04:05.000"), err)
		}
		k.strange.Add(1)
	}
}

// judge ends all and says what they met.
func (k *talkers) judge(t *testing.T) load.Tally {
	t.Helper()
	k.stop()
	k.alive.Wait()
	var sum load.Tally
	for _, x := range k.all {
		x.Check(t.Context())
		sum.Add(x.Tally())
	}
	t.Logf("%v; %d new connections", sum, k.strange.Load())
	for _, f := range sum.Faults {
		t.Error(f)
	}
	k.refusals.Range(func(at, err any) bool { t.Errorf("%v: a new connection: %v", at, err); return true })
	if sum.Messages < len(k.all) || k.strange.Load() < 100 {
		t.Error("too little happened to say anything")
	}
	return sum
}

func TestAGatewayIsReplacedAndNobodyNotices(t *testing.T) {
	env := filepath.Join(t.TempDir(), "env")
	settle := func(text string) {
		if err := os.WriteFile(env, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	settle("# nothing\n")
	w := own(t, func(o *testenv.Options) { o.GatewayEnv = map[string]string{"ENV_FILE": env} })
	k := talk(t, w, 8)
	for i := range 4 {
		time.Sleep(1500 * time.Millisecond)
		settle(fmt.Sprintf("ALLOWED_ORIGINS='https://page-%d.example'\n", i))
		if err := w.ReplaceGateway(t.Context()); err != nil {
			t.Fatal(err)
		}
		origin := fmt.Sprintf("https://page-%d.example", i)
		soon(t, "the new gateway does not go by ENV_FILE", func() bool { return w.preflight(t, origin) == origin })
	}
	// One that cannot start changes nothing.
	settle("PASS_PRIVATE_KEY=broken\n")
	if err := w.SignalGateway(); err != nil {
		t.Fatal(err)
	}
	soon(t, "the log does not say that a gateway could not start", func() bool {
		log := w.Gateway.Log()
		return strings.Contains(log, "the new gateway did not come up; this one goes on") && strings.Contains(log, "PASS_PRIVATE_KEY")
	})
	if w.preflight(t, "https://page-3.example") == "" {
		t.Error("a gateway that cannot start took over")
	}
	if k.judge(t).Cuts == 0 {
		t.Error("no stream was open while a gateway was replaced")
	}
}

// soon waits for what must come.
func soon(t *testing.T, otherwise string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(otherwise)
		}
	}
}

// preflight says which origin the gateway allows, of the one that asks.
func (w *world) preflight(t *testing.T, origin string) string {
	t.Helper()
	a, err := client.New(w.Base, "", nil).Do(t.Context(), http.MethodOptions, "/api/stats", nil,
		client.Header{Name: "Origin", Value: origin}, client.Header{Name: "Access-Control-Request-Method", Value: "GET"})
	if err != nil {
		t.Fatal(err)
	}
	return a.Header.Get("Access-Control-Allow-Origin")
}

// Two agents on one store are replaced one by one.
func TestAgentsAreReplacedOneByOneAndNobodyNotices(t *testing.T) {
	w := own(t, nil)
	second, err := w.AddAgent(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(second.Down)
	k := talk(t, w, 8)
	k.chat(w.Base)
	for i := range 2 {
		for _, s := range []*testenv.Stack{w.Stack, second} {
			time.Sleep(2 * time.Second)
			if !s.Agent.Stop(25 * time.Second) {
				t.Errorf("round %d: an agent did not stop in time", i)
			}
			if err := s.StartAgent(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Second) // its users come back
		}
	}
	k.judge(t)
}

// chat asks for whole answers as JSON, which nobody can take up again: the gateway
// must see to it that they come.
func (k *talkers) chat(base string) {
	ctx, stop := context.WithCancel(context.Background())
	end := k.stop
	k.stop = func() { stop(); end() }
	for i := range 4 {
		k.alive.Go(func() {
			c := client.New(base, tokenOf(100+i), nil)
			for n := 0; ctx.Err() == nil; n++ {
				said := fmt.Sprintf("chat %d-%d", i, n)
				s := fakeprovider.Say(said, fakeprovider.Round{Chunks: 8, Delay: 40})
				a, err := c.Do(context.WithoutCancel(ctx), http.MethodPost, "/api/chat", map[string]string{"message": s.Message(), "sessionId": "j"})
				var got struct{ Message string }
				if err != nil || a.Status != http.StatusOK || a.JSON(&got) != nil || got.Message != s.Answer(0) {
					k.refusals.Store(time.Now().Format("15:04:05.000 ")+said, fmt.Errorf("%v %w", a, err))
				}
			}
		})
	}
}
