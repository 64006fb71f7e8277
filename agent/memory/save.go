package memory

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
	"github.com/loongclaw/loongclaw/pkg/plain"
)

// The types and importances of items, and the limits of a memory. An agent
// holds all of an active user's memory, so there is an end to it.
const (
	TypeFact     = "fact"
	TypeEvent    = "event"
	TypeDecision = "decision"
	TypeThought  = "thought"

	ImportanceHigh   = "high"
	ImportanceMedium = "medium"
	ImportanceLow    = "low"

	MaxContent  = 64 << 10 // bytes of one item
	MaxTags     = 16       // of one item
	MaxTag      = 128      // bytes of one tag
	MaxItems    = 20_000   // of one user
	MaxContents = 8 << 20  // bytes of all items of one user
)

var (
	types       = []string{TypeFact, TypeEvent, TypeDecision, TypeThought}
	importances = []string{ImportanceHigh, ImportanceMedium, ImportanceLow}
)

// Save remembers an item. It fills in id and time (a caller's are not taken),
// and type fact and importance medium where none is given. Saying a thing twice
// is the user's right, so Save keeps both; AutoSave, which nobody asked for,
// keeps one.
func (s *Store) Save(ctx context.Context, item Item) (Item, error) {
	item, err := checked(item)
	if err != nil {
		return Item{}, err
	}
	if err := s.takeTurn(ctx); err != nil {
		return Item{}, err
	}
	defer s.endTurn()
	return s.save(ctx, item)
}

// save writes a checked item; the caller has the turn.
func (s *Store) save(ctx context.Context, item Item) (Item, error) {
	if err := s.room(1, len(item.Content)); err != nil {
		return Item{}, err
	}
	item.Timestamp = s.stamp()
	item.ID = s.newID(item.Timestamp)
	if err := s.append(ctx, RecordSaved, saved{Item: item}); err != nil {
		return Item{}, err
	}
	return item.clone(), nil
}

// room reports whether so much more may be remembered.
func (s *Store) room(items, bytes int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.entries)+items > MaxItems || s.bytes+bytes > MaxContents {
		return fault.New(fault.CodeTooLarge,
			fmt.Sprintf("the memory is full (%d items, %d bytes; the limits are %d and %d)", len(s.entries), s.bytes, MaxItems, MaxContents),
			"export it with GET /api/memory/export, then forget what is not needed: DELETE /api/memory/{id}")
	}
	return nil
}

// checked gives an item with its defaults, or says what is wrong with it.
func checked(item Item) (Item, error) {
	if item.Type == "" {
		item.Type = TypeFact
	}
	if item.Importance == "" {
		item.Importance = ImportanceMedium
	}
	tags, err := checkedTags(item.Tags)
	if err != nil {
		return Item{}, err
	}
	item.Tags = tags
	item.Source = cutBytes(item.Source, chat.MaxID)
	switch {
	case !slices.Contains(types, item.Type):
		return Item{}, invalid("the type "+quote(item.Type)+" is unknown", "use one of "+strings.Join(types, ", "))
	case !slices.Contains(importances, item.Importance):
		return Item{}, invalid("the importance "+quote(item.Importance)+" is unknown", "use one of "+strings.Join(importances, ", "))
	case strings.TrimSpace(item.Content) == "":
		return Item{}, invalid("there is nothing to remember", "give content some text")
	case !utf8.ValidString(item.Content):
		return Item{}, invalid("the content is not UTF-8", "send text as UTF-8")
	case len(item.Content) > MaxContent:
		return Item{}, fault.New(fault.CodeTooLarge, "the content is longer than 64 KiB", "keep the gist, or save it as a file")
	}
	return item, nil
}

// checkedTags trims tags and drops empty and repeated ones.
func checkedTags(given []string) ([]string, error) {
	tags := []string{}
	for _, t := range given {
		t = strings.TrimSpace(t)
		switch {
		case t == "" || slices.Contains(tags, t):
			continue
		case len(t) > MaxTag:
			return nil, invalid("the tag "+quote(t)+" is longer than 128 bytes", "use a word or two")
		case !utf8.ValidString(t) || strings.ContainsFunc(t, unicode.IsControl):
			return nil, invalid("the tag "+quote(t)+" is not plain text", "use letters, digits and spaces")
		}
		tags = append(tags, t)
	}
	if len(tags) > MaxTags {
		return nil, invalid("there are more than 16 tags", "keep the ones that help to find it")
	}
	return tags, nil
}

func invalid(message, hint string) error { return fault.New(fault.CodeInvalidRequest, message, hint) }

const base36 = "0123456789abcdefghijklmnopqrstuvwxyz"

// newID makes an id of the original's form, mem_<ms>_<9 of base 36>. The caller
// has the turn.
func (s *Store) newID(at chat.Time) string {
	for {
		var b [9]byte
		_, _ = rand.Read(b[:]) // it never fails
		id := idOf(at, b[:])
		s.mu.Lock()
		_, taken := s.byID[id]
		s.mu.Unlock()
		if !taken {
			return id
		}
	}
}

// idOf makes an id of a time and nine bytes, random ones or a hash's.
func idOf(at chat.Time, b []byte) string {
	var tail [9]byte
	for i := range tail {
		tail[i] = base36[int(b[i])%len(base36)]
	}
	return "mem_" + strconv.FormatInt(at.UnixMilli(), 10) + "_" + string(tail[:])
}

// cutBytes shortens valid text to at most n bytes, and marks it when it did.
func cutBytes(text string, n int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= n {
		return text
	}
	return plain.Cut(text, n-len("…")) + "…"
}
