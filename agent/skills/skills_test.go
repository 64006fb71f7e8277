package skills

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loongclaw/loongclaw/agent/auditlog"
	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/bucket/disk"
	"github.com/loongclaw/loongclaw/agent/tools"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

type rig struct {
	*Source
	t      *testing.T
	noted  []auditlog.Entry
	bucket bucket.Bucket
}

func newRig(t *testing.T) *rig {
	t.Helper()
	store, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, bucket: store}
	r.Source = New(Config{
		Bucket: store, Log: slog.New(slog.DiscardHandler), Now: time.Now,
		Note: func(_ context.Context, user string, entries ...auditlog.Entry) error {
			if user == "alice" {
				r.noted = append(r.noted, entries...)
			}
			return nil
		},
	})
	t.Cleanup(func() { r.Close(); _ = store.Close() })
	return r
}

func (r *rig) write(path, body string) {
	r.t.Helper()
	if err := r.workspace("alice").Write(context.Background(), path, []byte(body)); err != nil {
		r.t.Fatal(err)
	}
}

// only returns the one skill that there is.
func (r *rig) only() Skill {
	r.t.Helper()
	all, err := r.List(context.Background(), "alice")
	if err != nil || len(all) != 1 {
		r.t.Fatalf("skills %+v, %v", all, err)
	}
	return all[0]
}

// read has the model call skill_read, as it is declared now.
func (r *rig) read(name string) (string, error) {
	r.t.Helper()
	declared := r.Tools("alice")
	if len(declared) == 0 {
		return "", toolError("not declared")
	}
	args, _ := json.Marshal(map[string]string{"name": name})
	if v := declared[0].Judge(args, tools.Env{User: "alice"}); v.Kind != tools.VerdictRun {
		return "", toolError(v.Kind + ": " + v.Reason)
	}
	return declared[0].Run(context.Background(), args, tools.Env{User: "alice"})
}

const honey = "---\nname: honey\ndescription: >\n  How to find honey\n  in the forest.\n---\n# Honey\n\nListen for bees.\n"

func TestASkillIsReadOnceItIsApproved(t *testing.T) {
	r := newRig(t)
	r.write("skills/honey/SKILL.md", honey)
	r.write("skills/honey/scripts/find.sh", "ls")
	r.write("skills/README.md", "no skill")
	s := r.only()
	if s.Name != "honey" || s.Description != "How to find honey in the forest." || s.State != Unapproved || s.Error != "" || !slices.Equal(s.Files, []string{"SKILL.md", "scripts/find.sh"}) {
		t.Errorf("%+v", s)
	}
	if out, err := r.read("honey"); err == nil {
		t.Errorf("an unapproved skill was read: %s", out)
	}
	if _, err := r.Approve(t.Context(), "alice", "honey", strings.Repeat("0", 64)); fault.CodeOf(err) != fault.CodeConflict {
		t.Errorf("another hash: %v", err)
	}
	got, err := r.Approve(t.Context(), "alice", "honey", s.Hash)
	if err != nil || got.State != Ready {
		t.Fatalf("%+v, %v", got, err)
	}
	if want := []auditlog.Entry{{What: auditlog.Skill, Tool: "honey", Status: "approved", Scope: s.Hash}}; len(r.noted) != 1 || r.noted[0].Tool != "honey" || r.noted[0].Scope != s.Hash || r.noted[0].What != auditlog.Skill {
		t.Errorf("the audit log has %+v, want %+v", r.noted, want)
	}
	out, err := r.read("honey")
	if err != nil || !strings.Contains(out, "Listen for bees.") || !strings.HasPrefix(out, "The user has approved") || strings.Contains(out, "description:") {
		t.Errorf("%q, %v", out, err)
	}
	spec := r.Tools("alice")[0].Spec()
	if spec.Name != ToolName || !strings.Contains(spec.Description, "- honey: How to find honey in the forest.\n") {
		t.Errorf("%+v", spec)
	}
	if got := r.Tools("bob"); got != nil {
		t.Errorf("another user has %v", got)
	}
}

func TestAnyChangeOfItsFolderEndsAnApproval(t *testing.T) {
	changes := map[string]func(r *rig){
		"the page":       func(r *rig) { r.write("skills/honey/SKILL.md", honey+"Send it to me.") },
		"another file":   func(r *rig) { r.write("skills/honey/find.sh", "rm -r .") },
		"a new file":     func(r *rig) { r.write("skills/honey/more.md", "more") },
		"a file is gone": func(r *rig) { _ = r.workspace("alice").Remove(context.Background(), "skills/honey/find.sh") },
		"a file is moved": func(r *rig) {
			_ = r.workspace("alice").Remove(context.Background(), "skills/honey/find.sh")
			r.write("skills/honey/b.sh", "ls")
		},
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.write("skills/honey/SKILL.md", honey)
			r.write("skills/honey/find.sh", "ls")
			s := r.only()
			if _, err := r.Approve(t.Context(), "alice", "honey", s.Hash); err != nil {
				t.Fatal(err)
			}
			change(r)
			// It is still declared as it was: what is read is looked at anew.
			if out, err := r.read("honey"); err == nil || strings.HasPrefix(err.Error(), "not declared") {
				t.Errorf("a changed skill was read: %q, %v", out, err)
			}
			if got := r.only(); got.State != Changed || got.Hash == s.Hash {
				t.Errorf("%+v", got)
			}
			if r.Tools("alice") != nil {
				t.Error("a changed skill is declared")
			}
			r.write("skills/honey/SKILL.md", honey)
			_ = r.workspace("alice").Remove(context.Background(), "skills/honey/more.md")
			_ = r.workspace("alice").Remove(context.Background(), "skills/honey/b.sh")
			r.write("skills/honey/find.sh", "ls")
			if got := r.only(); got.State != Ready {
				t.Errorf("as it was approved again: %+v", got)
			}
		})
	}
}

func TestWhatIsWrongWithASkillIsSaid(t *testing.T) {
	for name, c := range map[string]struct{ folder, text, want string }{
		"no front matter":   {"honey", "# Honey", "does not begin with a front matter"},
		"an open one":       {"honey", "---\nname: honey\n", "does not begin with a front matter"},
		"another name":      {"honey", "---\nname: bees\ndescription: x\n---\n", "must be that of its folder"},
		"no description":    {"honey", "---\nname: honey\n---\n", "has no description"},
		"an empty one":      {"honey", "---\n---\n", "must be that of its folder"},
		"a list":            {"honey", "---\nname: honey\ndescription: [a, b]\n---\n", "no YAML"},
		"a bomb":            {"honey", "---\na: &a [x,x]\nb: &b [*a,*a]\nname: *b\ndescription: x\n---\n", "no YAML"},
		"a long one":        {"honey", "---\nname: honey\ndescription: " + strings.Repeat("蜜", maxDescription+1) + "\n---\n", "longer than 1024"},
		"a hidden text":     {"honey", honey + "obey \U000e0041\U000e0042\n", "line 10 of SKILL.md holds a character"},
		"a reversed text":   {"honey", honey + "obey \u202eabc\n", "cannot be seen"},
		"no UTF-8":          {"honey", honey + "\xff", "no text in UTF-8"},
		"a large page":      {"honey", honey + strings.Repeat("x", maxPage), "larger than 64 KiB"},
		"a name of its own": {"Honey Bees", honey, "the folder's name"},
	} {
		r := newRig(t)
		r.write("skills/"+c.folder+"/SKILL.md", c.text)
		s := r.only()
		if !strings.Contains(s.Error, c.want) || s.State != Unapproved {
			t.Errorf("%s: %+v, want %q", name, s, c.want)
		}
		if _, err := r.Approve(t.Context(), "alice", c.folder, s.Hash); fault.CodeOf(err) != fault.CodeConflict {
			t.Errorf("%s was approved: %v", name, err)
		}
	}
}

func TestFormsOfAFrontMatter(t *testing.T) {
	for name, text := range map[string]string{
		"Windows":           strings.ReplaceAll(honey, "\n", "\r\n"),
		"a byte order mark": "\ufeff" + honey,
		"nothing behind it": "---\nname: honey\ndescription: x\n---",
		"other fields":      "---\nname: honey\ndescription: x\nlicense: MIT\nmetadata:\n  author: bear\n---\ntext\n",
		"wide spaces":       honey + "a\u00a0b\u3000c\td\n",
		"an emoji":          honey + "\U0001f43b\u200d\u2744\ufe0f\n",
	} {
		if s := parse("honey", []content{{page, []byte(text)}}); s.Error != "" {
			t.Errorf("%s: %s", name, s.Error)
		}
	}
}

func TestALargeFolderIsNotRead(t *testing.T) {
	r := newRig(t)
	r.write("skills/honey/SKILL.md", honey)
	for i := range 2 {
		r.write("skills/honey/big"+string(rune('a'+i)), strings.Repeat("x", 3<<20))
	}
	if s := r.only(); !strings.Contains(s.Error, "4 MiB") || s.State != Unapproved {
		t.Errorf("%+v", s)
	}
	if _, err := r.Approve(t.Context(), "alice", "honey", ""); fault.CodeOf(err) != fault.CodeConflict {
		t.Errorf("it was approved: %v", err)
	}
}

func TestSkillsAreReadMeanwhileAndAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.write("skills/honey/SKILL.md", honey)
		if _, err := r.Approve(t.Context(), "alice", "honey", r.only().Hash); err != nil {
			t.Fatal(err)
		}
		other := New(r.Config) // another agent
		defer other.Close()
		if other.Tools("alice") != nil {
			t.Error("what was not read is declared")
		}
		synctest.Wait()
		if len(other.Tools("alice")) != 1 {
			t.Error("what was read meanwhile is not declared")
		}
		r.write("skills/honey/SKILL.md", honey+"more")
		time.Sleep(reread + time.Second)
		other.Tools("alice")
		synctest.Wait()
		if other.Tools("alice") != nil {
			t.Error("a skill that changed is still declared after the time for it")
		}
		time.Sleep(forget + time.Second)
		other.Tools("bob")
		synctest.Wait()
		other.mu.Lock()
		defer other.mu.Unlock()
		if _, ok := other.known["alice"]; ok {
			t.Error("a user of whom nothing is asked is still known")
		}
	})
}
