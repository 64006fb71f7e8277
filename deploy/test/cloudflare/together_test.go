package cloudflare

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
)

// TestTogether is a deployment whose users share one container.
func TestTogether(t *testing.T) {
	w := newWorld(t, map[string]string{"AGENT_PLACEMENT": "single"})
	for _, step := range []struct {
		name string
		run  func(*testing.T, *world)
	}{
		{"three who come at once start one container, and each finds what is theirs", oneForAll},
		{"a container killed under two: both have one whole answer, also who did not look", killedUnderTwo},
		{"it sleeps when nobody is there, and comes back", allSleep},
	} {
		t.Run(step.name, func(t *testing.T) { step.run(t, w) })
	}
}

func oneForAll(t *testing.T, w *world) {
	begin := time.Now()
	three := []string{"ann", "ben", "cat"}
	each(len(three), func(i int) {
		c, name := w.user(three[i]), three[i]
		id := "save-" + string(rune('a'+i))
		save := fakeprovider.Say(id,
			fakeprovider.Round{Calls: []fakeprovider.Call{
				{ID: "c1", Name: "memory_save", Args: `{"content":"the den of ` + name + ` is warm","type":"fact"}`},
				{ID: "c2", Name: "write_file", Args: `{"path":"den.txt","content":"of ` + name + `"}`},
			}},
			fakeprovider.Round{Text: []string{"kept for " + name}})
		if got := say(t, c, "a", save.Message()); got != "kept for "+name {
			t.Errorf("%s: got %q", name, got)
		}
	})
	if n := w.starts(t, begin); n != 1 {
		t.Errorf("%d containers were started, want 1", n)
	}
	for _, name := range three {
		c := w.user(name)
		for path, want := range map[string]string{"/api/memory/search?q=den": "the den of " + name + " is warm", "/api/files/den.txt": "of " + name} {
			a, err := c.Do(limited(t), http.MethodGet, path, nil)
			if err != nil || a.Status != http.StatusOK || !strings.Contains(string(a.Body), want) {
				t.Errorf("%s: %s: got %v, %v; want %q", name, path, a, err, want)
				continue
			}
			for _, other := range three {
				if other != name && strings.Contains(string(a.Body), "of "+other) {
					t.Errorf("%s: %s shows what is %s's: %s", name, path, other, a.Body)
				}
			}
		}
		if got := state(t, c); got != "ready" {
			t.Errorf("%s: /ready says %q, want ready", name, got)
		}
	}
}

func killedUnderTwo(t *testing.T, w *world) {
	all := w.agents(t)
	if len(all) != 1 {
		t.Fatalf("%d containers run, want one", len(all))
	}
	watched := fakeprovider.Say("watched", fakeprovider.Round{Chunks: 12, Gate: "together", GateAt: 5})
	alone := fakeprovider.Say("unwatched", fakeprovider.Round{Chunks: 12, Gate: "together", GateAt: 5})
	r := start(t, w.user("ann"), "b", watched.Message())
	nobodys := start(t, w.user("ben"), "b", alone.Message())
	tab, err := w.user("ann").Subscribe(limited(t), "b", r.Cursor)
	if err != nil {
		t.Fatal(err)
	}
	defer tab.Cut()
	seen := client.NewLedger()
	until(t, tab, seen, func(e client.Event) bool { return strings.Contains(seen.Open(e.MessageID), "第4块") })
	for _, id := range all {
		mustDocker(t, "kill", id)
	}
	w.model.Open("together")
	if end := until(t, tab, seen, finished(r.RunID)); end.Status != "done" || len(seen.Answers[r.RunID]) != 1 {
		t.Errorf("who looked: %v with %d answers", end, len(seen.Answers[r.RunID]))
	}
	// Nothing is asked of the other's agent until the model has said it all again.
	if err := w.model.Wait(limited(t), "unwatched", func(all []fakeprovider.Request) bool { return len(all) == 2 && all[1].Finished }); err != nil {
		t.Fatal(err)
	}
	l := client.NewLedger()
	if end := finish(t, w.user("ben"), l, nobodys); end.Status != "done" || len(l.Answers[nobodys.RunID]) != 1 {
		t.Errorf("who did not look: %v with %d answers", end, len(l.Answers[nobodys.RunID]))
	}
}

func allSleep(t *testing.T, w *world) {
	took := eventually(t, sleepAfter+40*time.Second, "the container is stopped", func() bool { return len(w.agents(t)) == 0 })
	t.Logf("it was gone after %v", took.Round(time.Second))
	back := fakeprovider.Say("together-back",
		fakeprovider.Round{Calls: []fakeprovider.Call{{ID: "c1", Name: "read_file", Args: `{"path":"den.txt"}`}}},
		fakeprovider.Round{Text: []string{"found"}})
	if got := say(t, w.user("cat"), "a", back.Message()); got != "found" {
		t.Errorf("got %q", got)
	}
	a, err := w.user("cat").Do(limited(t), http.MethodGet, "/api/history/a", nil)
	if err != nil || !strings.Contains(string(a.Body), "kept for cat") {
		t.Errorf("its history: %v, %v", a, err)
	}
}
