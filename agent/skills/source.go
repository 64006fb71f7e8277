package skills

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/loongclaw/loongclaw/agent/auditlog"
	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/files"
	"github.com/loongclaw/loongclaw/agent/tools"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Config is what the source needs.
type Config struct {
	Bucket bucket.Bucket
	Log    *slog.Logger
	Now    func() time.Time
	// Note writes into a user's audit log.
	Note func(ctx context.Context, user string, entries ...auditlog.Entry) error
}

const (
	// reread is how old what is declared of a user's skills may be. What a model reads
	// of one is looked at anew each time.
	reread = time.Minute
	// forget is when a user's skills are forgotten of whom nothing is asked.
	forget = time.Hour
	// readTime bounds a reading that nobody waits for.
	readTime = 30 * time.Second
)

// Source knows the skills of all users. Stop it with Close.
type Source struct {
	Config
	root    context.Context
	stop    context.CancelFunc
	running sync.WaitGroup

	mu    sync.Mutex
	known map[string]*known
}

// known is what was seen of a user's skills last.
type known struct {
	ready   []Skill
	read    time.Time
	asked   time.Time
	reading bool
}

var _ tools.Catalog = (*Source)(nil)

// New makes a source.
func New(c Config) *Source {
	root, stop := context.WithCancel(context.Background())
	return &Source{Config: c, root: root, stop: stop, known: map[string]*known{}}
}

// Close ends what is being read.
func (s *Source) Close() {
	s.stop()
	s.running.Wait()
}

// Tools returns skill_read where a user has skills that are ready. What is not known
// yet is read meanwhile.
func (s *Source) Tools(user string) []tools.Tool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Now()
	k := s.known[user]
	if k == nil {
		k = &known{}
		s.known[user] = k
	}
	k.asked = now
	if !k.reading && (k.read.IsZero() || now.Sub(k.read) > reread) && s.root.Err() == nil {
		k.reading = true
		s.running.Go(func() { s.refresh(user) })
	}
	if len(k.ready) == 0 {
		return nil
	}
	return []tools.Tool{readSkill{s, k.ready}}
}

// refresh reads a user's skills for Tools.
func (s *Source) refresh(user string) {
	ctx, cancel := context.WithTimeout(s.root, readTime)
	defer cancel()
	if _, err := s.List(ctx, user); err != nil && s.root.Err() == nil {
		s.Log.Warn("a user's skills cannot be read", slog.String("user", user), slog.Any("error", err))
		s.remember(user, nil) // a model must not be told of what may have changed
	}
}

// remember takes in what was read.
func (s *Source) remember(user string, all []Skill) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Now()
	k := s.known[user]
	if k == nil {
		k = &known{asked: now}
		s.known[user] = k
	}
	k.ready = slices.DeleteFunc(slices.Clone(all), func(one Skill) bool { return one.State != Ready })
	k.read, k.reading = now, false
	for name, other := range s.known {
		if now.Sub(other.asked) > forget && !other.reading {
			delete(s.known, name)
		}
	}
}

// List returns a user's skills, by name.
func (s *Source) List(ctx context.Context, user string) ([]Skill, error) {
	names, below, err := s.folders(ctx, user)
	if err != nil {
		return nil, err
	}
	approved, _, err := s.approvals(ctx, user)
	if err != nil {
		return nil, err
	}
	all := []Skill{}
	for _, name := range names {
		one, err := s.load(ctx, user, name, below[name])
		if err != nil {
			return nil, err
		}
		all = append(all, s.compared(ctx, user, one.judged(approved[name]), approved[name]))
	}
	s.remember(user, all)
	return all, nil
}

// folders returns the names of a user's skills, and the files of each.
func (s *Source) folders(ctx context.Context, user string) (names []string, below map[string][]files.File, err error) {
	below = map[string][]files.File{}
	err = s.workspace(user).WalkBelow(ctx, folder, func(f files.File) error {
		name, rest, ok := strings.Cut(strings.TrimPrefix(f.Path, folder+"/"), "/")
		if !ok {
			return nil
		}
		f.Path = rest
		if below[name] = append(below[name], f); rest == page {
			names = append(names, name)
		}
		return nil
	})
	slices.Sort(names)
	return names[:min(len(names), maxSkills)], below, err
}

// load reads the files of a skill.
func (s *Source) load(ctx context.Context, user, name string, list []files.File) (Skill, error) {
	size := int64(0)
	for _, f := range list {
		size += f.Size
	}
	if len(list) > maxFiles || size > maxBytes {
		return Skill{Name: name, Files: []string{}, Error: fmt.Sprintf("the folder may have %d files and %d MiB, and has more", maxFiles, maxBytes>>20)}, nil
	}
	var all []content
	for _, f := range list {
		body, err := s.workspace(user).Read(ctx, folder+"/"+name+"/"+f.Path)
		if fault.CodeOf(err) == fault.CodeNotFound {
			continue // removed in this moment; the hash says so
		}
		if err != nil {
			return Skill{}, err
		}
		all = append(all, content{f.Path, body})
	}
	return parse(name, all), nil
}

// judged returns a skill with its state, by the hash that was approved.
func (k Skill) judged(approved string) Skill {
	switch {
	case approved == "":
		k.State = Unapproved
	case approved == k.Hash && k.Error == "":
		k.State = Ready
	default:
		k.State = Changed
	}
	return k
}

// find reads one skill of a user.
func (s *Source) find(ctx context.Context, user, name string) (Skill, error) {
	_, below, err := s.folders(ctx, user)
	if err != nil {
		return Skill{}, err
	}
	if !slices.ContainsFunc(below[name], func(f files.File) bool { return f.Path == page }) {
		return Skill{}, fault.New(fault.CodeNotFound, "there is no skill of this name", "GET /api/skills lists them; a skill is a folder skills/NAME of the workspace with a "+page)
	}
	one, err := s.load(ctx, user, name, below[name])
	if err != nil {
		return Skill{}, err
	}
	approved, _, err := s.approvals(ctx, user)
	return one.judged(approved[name]), err
}

// Approve lets a skill be used as it is, which the hash says.
func (s *Source) Approve(ctx context.Context, user, name, hash string) (Skill, error) {
	one, err := s.find(ctx, user, name)
	switch {
	case err != nil:
		return Skill{}, err
	case one.Error != "":
		return Skill{}, fault.New(fault.CodeConflict, "this skill cannot be used as it is: "+one.Error, "mend it, look at it again, and approve the hash that it has then")
	case hash != one.Hash:
		return Skill{}, fault.New(fault.CodeConflict, "the skill is another than the one whose hash was sent", "look at it again, and approve the hash that GET /api/skills gives")
	}
	if err := s.keep(ctx, user, one); err != nil {
		return Skill{}, err
	}
	if err := s.approve(ctx, user, name, hash); err != nil {
		return Skill{}, err
	}
	if err := s.Note(ctx, user, auditlog.Entry{What: auditlog.Skill, At: chat.At(s.Now()), Tool: name, Status: "approved", Scope: hash}); err != nil {
		s.Log.Warn("an approval is not in the audit log", slog.String("user", user), slog.String("skill", name), slog.Any("error", err))
	}
	if _, err := s.List(ctx, user); err != nil { // so that the next run has it
		s.Log.Warn("a user's skills cannot be read", slog.String("user", user), slog.Any("error", err))
	}
	return one.judged(hash), nil
}

func (s *Source) workspace(user string) *files.Workspace {
	return files.New(s.Bucket, users.FilesPrefix(user))
}

// approvalsKey is where it stands what a user has approved: a hash for each name.
func approvalsKey(user string) string { return users.Prefix(user) + "config/skills.json" }

func (s *Source) approvals(ctx context.Context, user string) (approved map[string]string, etag string, err error) {
	o, err := s.Bucket.Get(ctx, approvalsKey(user))
	if errors.Is(err, bucket.ErrNotFound) {
		return map[string]string{}, "", nil
	}
	if err != nil {
		return nil, "", bucket.Unavailable(err)
	}
	if json.Unmarshal(o.Body, &approved) != nil || approved == nil {
		approved = map[string]string{} // nothing is approved that cannot be read
	}
	return approved, o.ETag, nil
}

// approve writes an approval, whoever else writes one at the same time.
func (s *Source) approve(ctx context.Context, user, name, hash string) error {
	for {
		approved, etag, err := s.approvals(ctx, user)
		if err != nil {
			return err
		}
		approved[name] = hash
		body, err := json.Marshal(approved)
		if err != nil {
			return err
		}
		if etag == "" {
			_, err = s.Bucket.Create(ctx, approvalsKey(user), body)
		} else {
			_, err = s.Bucket.Replace(ctx, approvalsKey(user), body, etag)
		}
		if !errors.Is(err, bucket.ErrExists) && !errors.Is(err, bucket.ErrChanged) {
			return bucket.Unavailable(err)
		}
	}
}
