package bucket

import (
	"encoding/base32"
	"fmt"
	"regexp"
	"strings"
)

// MaxSegment is the longest segment of a key, in bytes: what a file name may be.
const MaxSegment = 255

var (
	plainID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)
	base    = base32.NewEncoding("abcdefghijklmnopqrstuv0123456789").WithPadding(base32.NoPadding)
)

// Segment turns any id into one segment of a key: plain ids stay readable, all
// others are base32 behind a "_", so that two ids never share a segment, also
// where a file system folds case.
func Segment(id string) string {
	if plainID.MatchString(id) {
		return id
	}
	return "_" + base.EncodeToString([]byte(id))
}

// ParseSegment gives the id that Segment encoded.
func ParseSegment(seg string) (string, error) {
	text, coded := strings.CutPrefix(seg, "_")
	if !coded {
		if !plainID.MatchString(seg) {
			return "", fmt.Errorf("bucket: %q is no segment of an id", seg)
		}
		return seg, nil
	}
	id, err := base.DecodeString(text)
	if err != nil {
		return "", fmt.Errorf("bucket: %q is no segment of an id: %w", seg, err)
	}
	return string(id), nil
}

// CheckKey reports whether key can name an object.
func CheckKey(key string) error {
	for rest, more := key, true; more; {
		var s string
		if s, rest, more = strings.Cut(rest, "/"); !isSegment(s) {
			return fmt.Errorf("bucket: %q is not a key", key)
		}
	}
	return nil
}

// isSegment reports whether s is letters, digits, "_", "-" and, not in front, ".". Each
// operation on a store asks for each segment of its key.
func isSegment(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-':
		case c == '.' && i > 0:
		default:
			return false
		}
	}
	return s != "" && len(s) <= MaxSegment
}
