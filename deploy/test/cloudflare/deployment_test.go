package cloudflare

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
)

// alone is how long a run goes on of which no client hears. The longer it is,
// the more it says; five minutes are the platform's and ours.
var alone = flag.Duration("alone", 80*time.Second, "how long a run goes on without a client")

// TestADay is one Worker with its containers, in the order of a day.
func TestADay(t *testing.T) {
	w := newWorld(t, nil)
	for _, step := range []struct {
		name string
		run  func(*testing.T, *world)
	}{
		{"strangers and idle tabs wake nothing", strangers},
		{"a run without a client begins", runAloneBegins},
		{"a cold first message is told of its wait at once", coldMessage},
		{"fifty who ask at once start one container", manyAtOnce},
		{"no secret is in the container", noSecretInside},
		{"the egress proxy is the only way out", noOtherWayOut},
		{"a cancel ends the provider's request", cancelCostsNothing},
		{"a container killed in mid-answer: one whole answer", killedInMidAnswer},
		{"open tabs, a parked approval and half-read streams keep nothing awake", sleepsAndComesBack},
		{"two tabs that slept see the next run", sleepingTabs},
		{"a list that is watched keeps nothing awake and hears what changes", watchedList},
		{"a run without a client was finished", runAloneEnds},
		{"two deploys under one who never stops talking", deploysUnderATalker},
	} {
		t.Run(step.name, func(t *testing.T) { step.run(t, w) })
	}
}

// strangers: 10,000 requests without a way in and 1000 sockets that say nothing.
func strangers(t *testing.T, w *world) {
	begin := time.Now()
	joe := w.user("joe")
	sockets := make([]*client.Socket, 1000)
	each(len(sockets), func(i int) {
		var err error
		if sockets[i], err = joe.Dial(limited(t), "/ws"); err != nil {
			t.Error(err)
		}
	})
	if t.Failed() {
		return
	}
	defer func() {
		for _, s := range sockets {
			s.Cut()
		}
	}()
	t.Logf("1000 idle sockets after %v", time.Since(begin))

	kinds := []func(i int) (*http.Request, error){
		func(int) (*http.Request, error) {
			return http.NewRequest(http.MethodGet, w.Base+"/api/history", http.NoBody)
		},
		func(int) (*http.Request, error) {
			return http.NewRequest(http.MethodPost, w.Base+"/api/chat", strings.NewReader(`{"message":"wake up"}`))
		},
		func(i int) (*http.Request, error) {
			q, err := http.NewRequest(http.MethodPost, w.Base+"/api/sessions/a/runs", strings.NewReader(`{"message":"wake up"}`))
			q.Header.Set("Authorization", fmt.Sprintf("Bearer wrong-token-%d", i))
			return q, err
		},
		func(int) (*http.Request, error) {
			q, err := http.NewRequest(http.MethodGet, w.Base+"/api/stats", http.NoBody)
			q.Header.Set("X-LoongClaw-User", "ann")
			q.Header.Set("X-LoongClaw-Pass", "ann")
			q.Header.Set("Cookie", "__Host-loongclaw=ann")
			return q, err
		},
		func(int) (*http.Request, error) {
			q, err := http.NewRequest(http.MethodGet, w.Base+"/ws", http.NoBody)
			q.Header.Set("Connection", "Upgrade")
			q.Header.Set("Upgrade", "websocket")
			q.Header.Set("Sec-WebSocket-Version", "13")
			q.Header.Set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
			return q, err
		},
		func(int) (*http.Request, error) { return http.NewRequest(http.MethodGet, w.Base+"/ready", http.NoBody) },
		func(int) (*http.Request, error) {
			return http.NewRequest(http.MethodGet, w.Base+"/no/such/page", http.NoBody)
		},
	}
	transport := client.Transport()
	defer transport.CloseIdleConnections()
	var counts [600]atomic.Int64
	each(10_000, func(i int) {
		q, err := kinds[i%len(kinds)](i)
		if err != nil {
			t.Error(err)
			return
		}
		q.Header.Set("CF-Connecting-IP", fmt.Sprintf("198.51.100.%d", i%250))
		res, err := transport.RoundTrip(q.WithContext(t.Context()))
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		counts[res.StatusCode].Add(1)
	})
	for status := range counts {
		if n := counts[status].Load(); n > 0 {
			t.Logf("%5d times %d", n, status)
			switch status {
			case 200: // /ready, the edge's own
			case 401, 404, 429:
			default:
				t.Errorf("status %d is none for a stranger", status)
			}
		}
	}
	if n := w.starts(t, begin); n != 0 {
		t.Errorf("%d containers were started, want 0", n)
	}
	if got := state(t, joe); got != "asleep" {
		t.Errorf("joe's agent is %q, want asleep", got)
	}
}

// each does something n times, some of it at once.
func each(n int, do func(i int)) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				do(int(i - 1))
			}
		})
	}
	all.Wait()
}

var lonely struct {
	run
	fakeprovider.Script
	since time.Time
}

func runAloneBegins(t *testing.T, w *world) {
	const pieces = 40
	lonely.Script = fakeprovider.Say("alone", fakeprovider.Round{Chunks: pieces, Delay: int(alone.Milliseconds()) / pieces})
	lonely.since = time.Now()
	lonely.run = start(t, w.user("ida"), "a", lonely.Message())
}

func runAloneEnds(t *testing.T, w *world) {
	ctx, cancel := context.WithTimeout(t.Context(), *alone+patience)
	defer cancel()
	if err := w.model.Wait(ctx, "alone", func(all []fakeprovider.Request) bool { return len(all) > 0 && all[0].Finished }); err != nil {
		t.Fatal(err)
	}
	l := client.NewLedger()
	end := finish(t, w.user("ida"), l, lonely.run)
	if as := l.Answers[lonely.RunID]; end.Status != "done" || len(as) != 1 || as[0].Text() != lonely.Answer(0) {
		t.Errorf("got %v and %v", end, as)
	}
	if n := len(w.model.Requests("alone")); n != 1 {
		t.Errorf("the model was asked %d times, want once: the container lived on", n)
	}
	t.Logf("a run of %v, of which nobody heard for %v, was finished", *alone, time.Since(lonely.since).Round(time.Second))
}

// coldMessage: the wait for the container is told within 200 ms. Each user's first
// message is a cold one; the best of several counts, since this machine has the
// containers to start, too.
func coldMessage(t *testing.T, w *world) {
	const budget = 200 * time.Millisecond
	best := time.Hour
	for _, name := range []string{"ann", "kim", "leo"} {
		if best = min(best, coldStatus(t, w.user(name))); best <= budget {
			return
		}
	}
	t.Errorf("the first status came after %v at best, want %v", best, budget)
}

// coldStatus says how long a user waited for the first status.
func coldStatus(t *testing.T, c *client.Client) time.Duration {
	t.Helper()
	s, err := c.Dial(limited(t), "/ws")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Cut()
	script := fakeprovider.Say("cold", fakeprovider.Round{Chunks: 3})
	begin := time.Now()
	if err := s.Send("chat", map[string]any{"message": script.Message(), "sessionId": "a"}); err != nil {
		t.Fatal(err)
	}
	var phases []string
	var first time.Duration
	l := client.NewLedger()
	until(t, s, l, func(e client.Event) bool {
		if e.Type == "status" {
			if len(phases) == 0 {
				first = time.Since(begin)
			}
			phases = append(phases, e.Phase)
		}
		return e.Type == "run_finished"
	})
	t.Logf("the first status came after %v, the whole answer after %v", first.Round(time.Millisecond), time.Since(begin).Round(time.Millisecond))
	if got := strings.Join(phases, " "); got != "waking restoring ready thinking" {
		t.Errorf("phases: got %q, want waking, restoring, ready and thinking", got)
	}
	for _, as := range l.Answers {
		if as[0].Text() != script.Answer(0) {
			t.Errorf("got %q", as[0].Text())
		}
	}
	if got := state(t, c); got != "ready" {
		t.Errorf("/ready says %q, want ready", got)
	}
	return first
}

func manyAtOnce(t *testing.T, w *world) {
	begin := time.Now()
	fay := w.user("fay")
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			a, err := fay.Do(limited(t), http.MethodGet, "/api/sessions", nil)
			if err != nil || a.Status != http.StatusOK {
				t.Errorf("request %d: %v, %v", i, a, err)
			}
		})
	}
	all.Wait()
	if n := w.starts(t, begin); n != 1 {
		t.Errorf("%d containers were started, want 1", n)
	}
}

// killedInMidAnswer follows a run over both transports while its container dies.
func killedInMidAnswer(t *testing.T, w *world) {
	before := w.agents(t)
	ben := w.user("ben")
	script := fakeprovider.Say("killed", fakeprovider.Round{Chunks: 12, Gate: "killed", GateAt: 5, Vary: true})
	r := start(t, ben, "a", script.Message())
	mine := w.newcomer(t, before)
	tab, err := ben.Subscribe(limited(t), "a", r.Cursor)
	if err != nil {
		t.Fatal(err)
	}
	defer tab.Cut()
	seen := client.NewLedger()
	until(t, tab, seen, func(e client.Event) bool { return strings.Contains(seen.Open(e.MessageID), "第4块") })
	mustDocker(t, "kill", mine)
	w.model.Open("killed")

	end := until(t, tab, seen, finished(r.RunID)) // the same socket all the time
	replayed := client.NewLedger()
	again := finish(t, ben, replayed, r)
	for how, l := range map[string]*client.Ledger{"the socket": seen, "a replay": replayed} {
		as := l.Answers[r.RunID]
		if len(as) != 1 {
			t.Fatalf("%s: %d answers, want one: %q", how, len(as), l.Steps)
		}
		if got := as[0].Text(); end.Status != "done" || again.Status != "done" || !strings.HasPrefix(got, "killed.0") || strings.Count(got, "第") != 12 {
			t.Errorf("%s: %s with %q, want done and twelve pieces", how, end.Status, got)
		}
	}
	if got := replayed.Answers[r.RunID][0].Text(); got != seen.Answers[r.RunID][0].Text() {
		t.Errorf("the socket and the replay tell different answers")
	}
	if w.running(t, mine) {
		t.Error("the killed container runs")
	}
}

// cancelCostsNothing: what nobody wants any more is not generated, and not paid.
func cancelCostsNothing(t *testing.T, w *world) {
	fay := w.user("fay") // ben sleeps until the next step
	script := fakeprovider.Say("cancelled", fakeprovider.Round{Chunks: 1000, Delay: 50})
	r := start(t, fay, "cancelled", script.Message())
	if err := w.model.Begun(limited(t), "cancelled", 1); err != nil {
		t.Fatal(err)
	}
	a, err := fay.Do(limited(t), http.MethodPost, client.SessionPath("cancelled", "/cancel"), map[string]string{})
	if err != nil || a.Status != http.StatusOK {
		t.Fatalf("got %v, %v", a, err)
	}
	if end := finish(t, fay, client.NewLedger(), r); end.Status != "cancelled" {
		t.Errorf("got %v, want cancelled", end)
	}
	took := eventually(t, 10*time.Second, "the provider's request is cancelled", func() bool {
		all := w.model.Requests("cancelled")
		return len(all) == 1 && all[0].Cancelled
	})
	t.Logf("the provider's request ended %v after the run", took.Round(10*time.Millisecond))
}

// sleepsAndComesBack: what looks like use is none, and nothing is forgotten.
func sleepsAndComesBack(t *testing.T, w *world) {
	before := w.agents(t)
	cat := w.user("cat")
	save := fakeprovider.Say("save",
		fakeprovider.Round{Calls: []fakeprovider.Call{
			{ID: "c1", Name: "memory_save", Args: `{"content":"the owl nests in the third oak","type":"fact"}`},
			{ID: "c2", Name: "write_file", Args: `{"path":"notes/owl.txt","content":"第三棵橡树 🦉"}`},
		}},
		fakeprovider.Round{Text: []string{"kept"}})
	if got := say(t, cat, "a", save.Message()); got != "kept" {
		t.Fatalf("got %q", got)
	}
	mine := w.newcomer(t, before)

	parked := start(t, cat, "parked", fakeprovider.Say("parked",
		fakeprovider.Round{Calls: []fakeprovider.Call{{ID: "c1", Name: "exec_shell", Args: `{"command":"mkdir den"}`}}},
		fakeprovider.Round{Text: []string{"went on"}}).Message())
	tab, err := cat.Subscribe(limited(t), "parked", parked.Cursor)
	if err != nil {
		t.Fatal(err)
	}
	defer tab.Cut()
	approval := until(t, tab, client.NewLedger(), func(e client.Event) bool { return e.Type == "approval_required" })
	half, err := cat.Events(limited(t), "a", "") // opened, and never read to its end
	if err != nil {
		t.Fatal(err)
	}
	defer half.Cut()
	if _, err := half.Next(); err != nil {
		t.Fatal(err)
	}
	aborted, err := cat.Chat(limited(t), "aborted", fakeprovider.Say("aborted", fakeprovider.Round{Chunks: 4, Delay: 300}).Message())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := aborted.Next(); err != nil {
		t.Fatal(err)
	}
	aborted.Cut()

	took := eventually(t, sleepAfter+40*time.Second, "the container is stopped", func() bool { return !w.running(t, mine) })
	t.Logf("with two tabs, an approval, a half-read stream and an abort it was gone after %v", took.Round(time.Second))
	if got := state(t, cat); got != "asleep" {
		t.Errorf("/ready says %q, want asleep", got)
	}

	// The tab that stayed open works at once.
	begin := time.Now()
	back := fakeprovider.Say("back",
		fakeprovider.Round{Calls: []fakeprovider.Call{
			{ID: "c1", Name: "read_file", Args: `{"path":"notes/owl.txt"}`},
			{ID: "c2", Name: "memory_search", Args: `{"query":"owl"}`},
		}},
		fakeprovider.Round{Text: []string{"found"}})
	if err := tab.Send("chat", map[string]any{"message": back.Message(), "sessionId": "a"}); err != nil {
		t.Fatal(err)
	}
	outputs := ""
	until(t, tab, client.NewLedger(), func(e client.Event) bool {
		outputs += e.Out()
		return e.Type == "run_finished" && e.SessionID == "a"
	})
	t.Logf("it was back with an answer after %v", time.Since(begin))
	for _, want := range []string{"第三棵橡树 🦉", "third oak"} {
		if !strings.Contains(outputs, want) {
			t.Errorf("the tools said %q, want %q in it", outputs, want)
		}
	}
	if a, err := cat.Do(limited(t), http.MethodPost, "/api/approvals/"+approval.ApprovalID, map[string]string{"decision": "once"}); err != nil || a.Status >= 300 {
		t.Errorf("the parked approval: %v, %v", a, err)
	}
	if end := until(t, tab, client.NewLedger(), finished(parked.RunID)); end.Status != "done" {
		t.Errorf("the parked run: %v, want done", end)
	}
}

// sleepingTabs: the object that holds them has been evicted meanwhile.
func sleepingTabs(t *testing.T, w *world) {
	dan := w.user("dan")
	before := w.agents(t)
	first := start(t, dan, "a", fakeprovider.Say("first", fakeprovider.Round{Chunks: 2}).Message())
	mine := w.newcomer(t, before)
	var tabs []*client.Socket
	var ledgers []*client.Ledger
	for range 2 {
		tab, err := dan.Subscribe(limited(t), "a", first.Cursor)
		if err != nil {
			t.Fatal(err)
		}
		defer tab.Cut()
		l := client.NewLedger()
		until(t, tab, l, finished(first.RunID))
		tabs, ledgers = append(tabs, tab), append(ledgers, l)
	}
	eventually(t, sleepAfter+40*time.Second, "the container is stopped", func() bool { return !w.running(t, mine) })
	time.Sleep(12 * time.Second) // workerd evicts an object whose sockets hibernate after 10 s
	script := fakeprovider.Say("second", fakeprovider.Round{Chunks: 5})
	second := start(t, dan, "a", script.Message()) // over HTTP: no tab says anything
	for i, tab := range tabs {
		until(t, tab, ledgers[i], finished(second.RunID))
		if as := ledgers[i].Answers[second.RunID]; len(as) != 1 || as[0].Text() != script.Answer(0) {
			t.Errorf("tab %d: got %v", i, as)
		}
		if as := ledgers[i].Answers[first.RunID]; len(as) != 1 {
			t.Errorf("tab %d: the first answer came %d times", i, len(as))
		}
	}
}

// watchedList: a tab holds the stream of its list and nothing else.
func watchedList(t *testing.T, w *world) {
	kim := w.user("kim")
	before := w.agents(t)
	say(t, kim, "a", "hello")
	mine := w.newcomer(t, before)
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	list, err := kim.Stream(ctx, http.MethodGet, "/api/sessions/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer list.Cut()
	for _, session := range []string{"b", "c"} {
		took := eventually(t, sleepAfter+40*time.Second, "the container is stopped", func() bool { return !w.running(t, mine) })
		t.Logf("with a list that is watched it was gone after %v", took.Round(time.Second))
		time.Sleep(12 * time.Second) // workerd evicts an object whose sockets hibernate after 10 s
		if got := state(t, kim); got != "asleep" {
			t.Errorf("/ready says %q, want asleep", got)
		}
		before = w.agents(t)
		say(t, kim, session, "hello again") // over HTTP, in another tab
		mine = w.newcomer(t, before)
		for {
			e, err := list.Next()
			if err != nil {
				t.Fatalf("the list's stream ended: %v", err)
			}
			if e.Type == "session_changed" && e.SessionID == session {
				break
			}
		}
	}
}

// deploysUnderATalker: each deploy replaces the Worker, its objects and the
// containers, as it does on Cloudflare; the store and the objects' storage stay.
func deploysUnderATalker(t *testing.T, w *world) {
	eve := w.user("eve")
	say(t, eve, "talk", "hello")
	ctx, stop := context.WithCancel(t.Context())
	var acknowledged []string
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; ctx.Err() == nil; i++ {
			message := fmt.Sprintf("message %d", i)
			if said(ctx, t, eve, message, fmt.Sprintf("key-%d", i)) {
				acknowledged = append(acknowledged, message)
			}
		}
	}()
	for range 2 {
		time.Sleep(3 * time.Second)
		w.Down()
		w.up(t)
		time.Sleep(3 * time.Second)
	}
	stop()
	<-done
	say(t, eve, "talk", "the end")
	a, err := eve.Do(limited(t), http.MethodGet, "/api/history/talk", nil)
	if err != nil {
		t.Fatal(err)
	}
	var h client.History
	if err := a.JSON(&h); err != nil {
		t.Fatal(err)
	}
	times := map[string]int{}
	for _, m := range h.Messages {
		if m.Role == "user" {
			times[m.Content]++
		}
	}
	for _, m := range acknowledged {
		if times[m] != 1 {
			t.Errorf("%q was acknowledged and is there %d times", m, times[m])
		}
	}
	if len(acknowledged) < 10 {
		t.Errorf("only %d messages were acknowledged: nobody talked", len(acknowledged))
	}
	t.Logf("%d acknowledged messages over two deploys, each there once", len(acknowledged))
}

// said sends a message, again and again with the same key, until it is
// acknowledged.
func said(ctx context.Context, t *testing.T, c *client.Client, message, key string) bool {
	for ctx.Err() == nil {
		a, err := c.Do(t.Context(), http.MethodPost, client.SessionPath("talk", "/runs"), map[string]string{"message": message}, client.Header{Name: "Idempotency-Key", Value: key})
		switch {
		case err != nil: // a deploy breaks connections
		case a.Status == http.StatusAccepted:
			return true
		case a.Status == http.StatusConflict, a.Status >= 500:
			// Eight wait already, or the deployment is being replaced.
		default:
			t.Errorf("got %v", a)
			return false
		}
		time.Sleep(50 * time.Millisecond)
	}
	return false
}
