package skills

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/loongclaw/loongclaw/pkg/plain"
)

// Skill is a folder of the workspace with a SKILL.md.
type Skill struct {
	Name        string   `json:"name"` // of the folder
	Description string   `json:"description"`
	Hash        string   `json:"hash"` // of all its files
	State       State    `json:"state"`
	Error       string   `json:"error,omitempty"` // why it cannot be used as it is
	Files       []string `json:"files"`           // below its folder
	Changes     []Change `json:"changes,omitempty"`
	Was         string   `json:"was,omitempty"` // SKILL.md as it was approved, where that is known and it has changed

	text string            // what the model reads: SKILL.md without its front matter
	page string            // SKILL.md
	sums map[string]string // the hash of each file; nil where they were not read
}

// State reports whether a skill may be used.
type State string

// Whether a skill may be used.
const (
	Unapproved State = "unapproved" // nobody has approved it
	Ready      State = "ready"      // it is as it was approved
	Changed    State = "changed"    // it is another than was approved
)

// folder is where skills are, and page the file that makes a folder one.
const (
	folder = "skills"
	page   = "SKILL.md"
)

// What of a skill is looked at.
const (
	maxSkills      = 50
	maxFiles       = 100      // of a skill
	maxBytes       = 4 << 20  // of all files of a skill
	maxPage        = 64 << 10 // of SKILL.md
	maxDescription = 1024     // characters, as the format has it
)

var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// content is a file of a skill.
type content struct {
	path string // below the skill's folder
	body []byte
}

// parse reads a skill out of its files. What is wrong with it stands in Error.
func parse(name string, files []content) Skill {
	s := Skill{Name: name, Hash: hashOf(files), Files: []string{}, sums: map[string]string{}}
	var text []byte
	for _, f := range files {
		s.Files = append(s.Files, f.path)
		sum := sha256.Sum256(f.body)
		s.sums[f.path] = hex.EncodeToString(sum[:])
		if f.path == page {
			text = f.body
		}
	}
	if err := s.read(text); err != nil {
		s.Error = err.Error()
	}
	s.page = string(text)
	return s
}

// hashOf returns the hash of all files of a skill, in the order of their names: what
// is approved is the folder, since its page may send the model to any file of it.
func hashOf(files []content) string {
	h := sha256.New()
	for _, f := range slices.SortedFunc(slices.Values(files), func(a, b content) int { return cmp.Compare(a.path, b.path) }) {
		fmt.Fprintf(h, "%q %x\n", f.path, sha256.Sum256(f.body))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// read takes SKILL.md in.
func (s *Skill) read(text []byte) error {
	if !nameForm.MatchString(s.Name) {
		return fmt.Errorf("the folder's name must be of a-z, 0-9, - and _, at most 64 of them")
	}
	if len(text) > maxPage {
		return fmt.Errorf("%s is larger than %d KiB; put what is needed seldom into other files of the folder", page, maxPage>>10)
	}
	if !utf8.Valid(text) {
		return fmt.Errorf("%s is no text in UTF-8", page)
	}
	front, body, ok := cutFront(text)
	if !ok {
		return fmt.Errorf("%s does not begin with a front matter: a line ---, name and description, a line ---", page)
	}
	var head struct {
		Name        string `yaml:"name"`
		Description string `yaml:"description"`
	}
	if err := yaml.NewDecoder(bytes.NewReader(front)).Decode(&head); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("the front matter of %s is no YAML: name and description must be texts", page)
	}
	s.Description = strings.TrimSpace(head.Description)
	switch {
	case head.Name != s.Name:
		return fmt.Errorf("name in %s must be that of its folder, %s", page, s.Name)
	case s.Description == "":
		return fmt.Errorf("%s has no description: it tells the model when to read the rest", page)
	case utf8.RuneCountInString(s.Description) > maxDescription:
		return fmt.Errorf("the description in %s is longer than %d characters", page, maxDescription)
	}
	// Who approves a text must have seen all of it.
	if line := hiddenLine(text); line > 0 {
		return fmt.Errorf("line %d of %s holds a character that cannot be seen; take it out", line, page)
	}
	s.text = strings.TrimSpace(string(body))
	return nil
}

// cutFront takes the front matter off a page.
func cutFront(text []byte) (front, rest []byte, ok bool) {
	text = bytes.ReplaceAll(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), []byte("\r\n"), []byte("\n"))
	text, ok = bytes.CutPrefix(text, []byte("---\n"))
	if !ok {
		return nil, nil, false
	}
	if rest, ok := bytes.CutPrefix(text, []byte("---\n")); ok {
		return nil, rest, true
	}
	front, rest, ok = bytes.Cut(text, []byte("\n---\n"))
	if !ok {
		front, ok = bytes.CutSuffix(text, []byte("\n---"))
	}
	return front, rest, ok
}

// hiddenLine returns the number of the first line with a character that cannot be
// seen, 0 where there is none. Spaces of any width are no secret.
func hiddenLine(text []byte) int {
	n := 0
	for line := range strings.Lines(strings.TrimPrefix(string(text), "\ufeff")) {
		n++
		line = strings.Map(func(r rune) rune {
			if unicode.IsSpace(r) {
				return ' '
			}
			return r
		}, line)
		if _, at := plain.Hidden(line); at >= 0 {
			return n
		}
	}
	return 0
}
