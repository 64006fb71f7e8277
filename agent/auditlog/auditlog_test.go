package auditlog_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/agent/auditlog"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func at(minute int) chat.Time { return chat.At(noon.Add(time.Duration(minute) * time.Minute)) }

func TestAnEntryOfASessionIsTakenInOnce(t *testing.T) {
	var l auditlog.Log
	call := auditlog.Entry{What: auditlog.Call, At: at(0), Session: "s", Epoch: 1, Seq: 7}
	if !l.Add(call) || l.Add(call) {
		t.Error("the second of two that are the same is not known")
	}
	next := call
	next.Epoch, next.Seq = 2, 1
	if !l.Add(next) {
		t.Error("the next life's first record is taken for an old one")
	}
	if got := l.Covered("s", 1); got != 7 {
		t.Errorf("covered up to %d, want 7", got)
	}
	if n := len(l.Newest()); n != 2 {
		t.Errorf("%d entries", n)
	}
}

func TestASignInCountsForADay(t *testing.T) {
	var l auditlog.Log
	l.Add(auditlog.Entry{What: auditlog.SignIn, At: at(0), Via: "token:1"})
	for after, want := range map[time.Duration]bool{time.Hour: true, 23 * time.Hour: true, 24 * time.Hour: false} {
		if got := l.SignedIn("token:1", noon.Add(after)); got != want {
			t.Errorf("after %s: %v", after, got)
		}
	}
	if l.SignedIn("token:2", noon) {
		t.Error("another credential is known")
	}
}

func TestOnlyTheNewestAreHeld(t *testing.T) {
	var l auditlog.Log
	for i := range 2500 {
		l.Add(auditlog.Entry{What: auditlog.Call, At: at(i), Session: "s", Epoch: 1, Seq: uint64(i) + 1})
	}
	got := l.Newest()
	if len(got) != 500 || got[499].Seq != 2500 || got[0].Seq != 2001 {
		t.Errorf("%d entries, %d to %d", len(got), got[0].Seq, got[len(got)-1].Seq)
	}
}

func TestEntriesComeBack(t *testing.T) {
	e := auditlog.Entry{What: auditlog.Decided, At: at(3), Session: "s", Epoch: 1, Seq: 2, Scope: "运行 ls", Decision: chat.DecideOnce}
	r := auditlog.Records([]auditlog.Entry{e, {What: auditlog.Decided, Scope: strings.Repeat("长", 1000)}})
	back, err := auditlog.Parse(r[0].Body)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(e, back); diff != "" {
		t.Error(diff)
	}
	long, err := auditlog.Parse(r[1].Body)
	if err != nil || len(long.Scope) > 520 || !strings.HasSuffix(long.Scope, "长…") {
		t.Errorf("a long scope is kept as %d bytes, %v", len(long.Scope), err)
	}
}

func TestSort(t *testing.T) {
	entries := []auditlog.Entry{{At: at(2)}, {At: at(1), Session: "b"}, {At: at(1), Session: "a", Seq: 2}, {At: at(1), Session: "a", Seq: 1}}
	auditlog.Sort(entries)
	var got []string
	for _, e := range entries {
		got = append(got, e.At.String()[14:16]+e.Session+string(rune('0'+e.Seq)))
	}
	if want := []string{"01a1", "01a2", "01b0", "020"}; !cmp.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
}
