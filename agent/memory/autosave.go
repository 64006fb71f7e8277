package memory

import (
	"context"
	"regexp"
	"slices"
	"strings"
)

// The words that made the original keep a turn.
var keepWords = []string{"记住", "重要", "决策", "计划", "TODO", "待办"}

// AutoSave keeps a message in which the user speaks of something to keep: an event
// of high importance with the tag conversation, in the user's own words. What a
// model answered, or somebody wrote whom the user quotes, is not the user's wish
// and not kept. A message that is there already is not kept again, so one that is
// answered twice, or sent again, leaves one item; that item is the answer. When
// there is nothing to keep the Item is zero.
func (s *Store) AutoSave(ctx context.Context, session, message string) (Item, error) {
	own := ownWords(message)
	if !slices.ContainsFunc(keepWords, func(w string) bool { return strings.Contains(own, w) }) {
		return Item{}, nil
	}
	item, err := checked(Item{
		Type: TypeEvent, Importance: ImportanceHigh, Tags: []string{"conversation"}, Source: session,
		Content: cutBytes(own, MaxContent),
	})
	if err != nil {
		return Item{}, err
	}
	if err := s.takeTurn(ctx); err != nil {
		return Item{}, err
	}
	defer s.endTurn()
	if old, found := s.same(item); found {
		return old, nil
	}
	return s.save(ctx, item)
}

// same finds an item of the same type and content.
func (s *Store) same(item Item) (Item, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.entries {
		if e.Item.Type == item.Type && e.Item.Content == item.Content {
			return e.Item.clone(), true
		}
	}
	return Item{}, false
}

// ownWords is a message without what it quotes: quoted lines, fenced blocks, and
// what stands between a tag and its end, which is how clients hand a model pages
// and transcripts.
func ownWords(message string) string {
	var own []string
	fence := ""
	for line := range strings.Lines(withoutElements(message)) {
		text := strings.TrimSpace(line)
		switch {
		case fence != "":
			if strings.HasPrefix(text, fence) {
				fence = ""
			}
		case strings.HasPrefix(text, "```"), strings.HasPrefix(text, "~~~"):
			fence = text[:3]
		case strings.HasPrefix(text, ">"), strings.HasPrefix(text, "＞"):
		default:
			own = append(own, strings.TrimRight(line, "\r\n"))
		}
	}
	return strings.TrimSpace(strings.Join(own, "\n"))
}

// maxTags bounds for how many kinds of tags an end is sought.
const maxTags = 64

var openingTag = regexp.MustCompile(`<([A-Za-z][A-Za-z0-9_:-]{0,63})(?:\s[^<>]*)?>`)

// withoutElements leaves out every element that has an end, with what is in it.
func withoutElements(text string) string {
	var out strings.Builder
	closed := map[string]bool{} // false: its end was sought and is not there
	for {
		at := openingTag.FindStringSubmatchIndex(text)
		if at == nil {
			out.WriteString(text)
			return out.String()
		}
		end := "</" + text[at[2]:at[3]] + ">"
		n := -1
		if known, sought := closed[end]; known || (!sought && len(closed) < maxTags) {
			n = strings.Index(text[at[1]:], end)
			closed[end] = n >= 0
		}
		if n < 0 {
			out.WriteString(text[:at[1]])
			text = text[at[1]:]
			continue
		}
		out.WriteString(text[:at[0]])
		text = text[at[1]+n+len(end):]
	}
}
