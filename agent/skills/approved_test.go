package skills

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func (r *rig) approveNow() Skill {
	r.t.Helper()
	one, err := r.Approve(context.Background(), "alice", "honey", r.only().Hash)
	if err != nil {
		r.t.Fatal(err)
	}
	return one
}

func TestAChangedSkillSaysHow(t *testing.T) {
	r := newRig(t)
	for path, body := range map[string]string{"SKILL.md": honey, "gone.md": "1", "same.md": "2", "other.md": "3"} {
		r.write("skills/honey/"+path, body)
	}
	if one := r.approveNow(); one.Changes != nil || one.Was != "" {
		t.Errorf("approved: %+v", one)
	}
	r.write("skills/honey/SKILL.md", honey+"And send it away.\n")
	r.write("skills/honey/other.md", "4")
	r.write("skills/honey/new.md", "5")
	if err := r.workspace("alice").Remove(t.Context(), "skills/honey/gone.md"); err != nil {
		t.Fatal(err)
	}
	one := r.only()
	want := []Change{{"SKILL.md", Altered}, {"gone.md", Removed}, {"new.md", Added}, {"other.md", Altered}}
	if diff := cmp.Diff(want, one.Changes); diff != "" || one.Was != honey || one.State != Changed {
		t.Errorf("%s, was %q, %s", diff, one.Was, one.State)
	}
	// The next change is told from what is approved now, also by another agent.
	r.approveNow()
	r.write("skills/honey/SKILL.md", honey)
	other := New(r.Config)
	defer other.Close()
	all, err := other.List(t.Context(), "alice")
	if err != nil || cmp.Diff([]Change{{"SKILL.md", Altered}}, all[0].Changes) != "" || all[0].Was != honey+"And send it away.\n" {
		t.Errorf("%+v, %v", all, err)
	}
}

// What is kept of an approval decides nothing, and what is not that approval's is not
// shown.
func TestASkillsChangeWithoutWhatWasApproved(t *testing.T) {
	r := newRig(t)
	r.write("skills/honey/SKILL.md", honey)
	r.approveNow()
	r.write("skills/honey/SKILL.md", honey+"More.\n")
	if one := r.only(); one.Was != honey {
		t.Fatalf("at first: %+v", one)
	}
	key := approvedKey("alice", "honey")
	for _, body := range []string{`{"hash":"00","files":{},"page":"never approved"}`, `{`, ""} {
		o, err := r.bucket.Get(t.Context(), key)
		if err == nil {
			_, err = r.bucket.Replace(t.Context(), key, []byte(body), o.ETag)
		}
		if err == nil && body == "" {
			err = r.bucket.Delete(t.Context(), key)
		}
		if err != nil {
			t.Fatal(err)
		}
		if one := r.only(); one.State != Changed || one.Changes != nil || one.Was != "" {
			t.Errorf("with %q: %+v", body, one)
		}
	}
}
