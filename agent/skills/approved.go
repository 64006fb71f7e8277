package skills

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/users"
)

// What may be different about a file of a skill since its approval.
const (
	Added   = "added"
	Removed = "removed"
	Altered = "changed"
)

// Change is what is different about one file since the skill was approved.
type Change struct {
	File string `json:"file"`
	What string `json:"what"`
}

// approvedFiles is a skill as its user saw and approved it. The approval has the hash
// of the whole folder alone: enough to know that it is another, and not enough to show
// how.
type approvedFiles struct {
	Hash  string            `json:"hash"`  // of all files, as in the approval
	Files map[string]string `json:"files"` // the hash of each
	Page  string            `json:"page"`  // SKILL.md
}

// changes compares the files of a skill with those that were approved.
func (a approvedFiles) changes(now map[string]string) []Change {
	out := []Change{}
	for file, sum := range now {
		switch was, known := a.Files[file]; {
		case !known:
			out = append(out, Change{file, Added})
		case was != sum:
			out = append(out, Change{file, Altered})
		}
	}
	for file := range a.Files {
		if _, is := now[file]; !is {
			out = append(out, Change{file, Removed})
		}
	}
	slices.SortFunc(out, func(x, y Change) int { return cmp.Compare(x.File, y.File) })
	return out
}

// approvedKey is where it is kept what a skill was when it was approved.
func approvedKey(user, name string) string {
	return users.Prefix(user) + "config/skills-approved/" + bucket.Segment(name)
}

// keep writes what is about to be approved. It decides nothing: with another hash than
// the approval's it is not shown.
func (s *Source) keep(ctx context.Context, user string, one Skill) error {
	body, err := json.Marshal(approvedFiles{one.Hash, one.sums, one.page})
	if err != nil {
		return err
	}
	_, err = s.Bucket.Put(ctx, approvedKey(user, one.Name), body)
	return bucket.Unavailable(err)
}

// compared returns a skill that has changed with how, where that is known.
func (s *Source) compared(ctx context.Context, user string, one Skill, approved string) Skill {
	if one.State != Changed || one.sums == nil {
		return one
	}
	var was approvedFiles
	o, err := s.Bucket.Get(ctx, approvedKey(user, one.Name))
	if err == nil {
		err = json.Unmarshal(o.Body, &was)
	}
	switch {
	case err != nil && !errors.Is(err, bucket.ErrNotFound):
		s.Log.Warn("what was approved of a skill cannot be read", slog.String("user", user), slog.String("skill", one.Name), slog.Any("error", err))
	case err == nil && was.Hash == approved:
		one.Changes, one.Was = was.changes(one.sums), was.Page
	}
	return one
}
