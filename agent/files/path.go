package files

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/loongclaw/loongclaw/pkg/fault"
	"github.com/loongclaw/loongclaw/pkg/plain"
)

// The limits of a path.
const (
	maxPath    = 1024 // bytes
	maxSegment = 255  // bytes: what a file name may be in a working copy
	maxDepth   = 32
)

// drive is a Windows drive; schemes and drives name things that are elsewhere.
var drive = regexp.MustCompile(`^[A-Za-z]:(?:/|$)`)

const pathHint = `name a file of the workspace by a relative path such as "notes/today.md"`

func badPath(format string, a ...any) error {
	return fault.New(fault.CodeInvalidRequest, fmt.Sprintf(format, a...), pathHint)
}

// Clean gives the one form of a path: relative to the workspace, "/" between
// segments, Unicode in NFC, "" for the workspace itself. As in the original,
// workspace/x, ./workspace/x and /workspace/x mean x. A path that leads
// elsewhere, or that people could mistake for another one, is an error.
func Clean(path string) (string, error) {
	if len(path) > maxPath {
		return "", badPath("the path is longer than %d bytes", maxPath)
	}
	if err := checkCharacters(path); err != nil {
		return "", err
	}
	path = norm.NFC.String(path)
	if strings.HasPrefix(path, "~") || strings.Contains(path, "://") || drive.MatchString(path) {
		return "", badPath("the path %q is outside of the workspace", path)
	}
	absolute := strings.HasPrefix(path, "/")
	segments, err := resolve(path)
	if err != nil {
		return "", err
	}
	first := len(segments) > 0 && segments[0] == "workspace"
	switch {
	case first:
		segments = segments[1:]
	case absolute && len(segments) > 0:
		return "", badPath("the path %q is outside of the workspace", path)
	}
	if len(segments) > maxDepth {
		return "", badPath("the path is deeper than %d folders", maxDepth)
	}
	clean := strings.Join(segments, "/")
	if len(encodePath(clean)) > maxKey {
		return "", badPath("the path is too long")
	}
	return clean, nil
}

// CleanNew is Clean for a file that is to be begun: what cannot be seen, or can be
// taken for a space, is refused in its name. A file of an earlier version that has
// it can be read, written and deleted under that name.
func CleanNew(path string) (string, error) {
	clean, err := Clean(path)
	if err != nil {
		return "", err
	}
	if r, at := plain.Hidden(clean); at >= 0 {
		return "", badPath("the path %s has the character %U, which cannot be told from another name by looking at it", plain.Line(clean), r)
	}
	return clean, nil
}

// resolve removes empty, "." and ".." segments. The root that ".." may not leave
// is the workspace, also behind its own name: workspace/../x is an escape.
func resolve(path string) ([]string, error) {
	var out []string
	floor := 0
	for _, s := range strings.Split(path, "/") {
		switch s {
		case "", ".":
		case "..":
			if len(out) <= floor {
				return nil, badPath("the path %q leads out of the workspace", path)
			}
			out = out[:len(out)-1]
		default:
			if err := checkSegment(s); err != nil {
				return nil, err
			}
			if len(out) == 0 && s == "workspace" {
				floor = 1
			}
			out = append(out, s)
		}
	}
	return out, nil
}

func checkCharacters(path string) error {
	if !utf8.ValidString(path) {
		return badPath("the path is not valid UTF-8")
	}
	for _, r := range path {
		switch {
		case r == '\\':
			return badPath("the path %q has a backslash; folders are separated by /", path)
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == '\u2028', r == '\u2029', r == utf8.RuneError:
			return badPath("the path has the invisible character %U", r)
		case unicode.Is(unicode.Co, r):
			return badPath("the path has the private character %U", r)
		}
	}
	return nil
}

// checkSegment refuses names that are too long, and names that only look like
// ".." or hold something that only looks like "/".
func checkSegment(s string) error {
	if len(s) > maxSegment {
		return badPath("the name %.40q… is longer than %d bytes", s, maxSegment)
	}
	compat := norm.NFKC.String(s)
	if strings.Trim(compat, ".") == "" && compat != s || strings.ContainsAny(s, "∕⁄⧸／＼⧵﹨") {
		return badPath("the name %q can be mistaken for another path", s)
	}
	if strings.TrimSpace(s) != s {
		return badPath("the name %q begins or ends with a space", s)
	}
	return nil
}
