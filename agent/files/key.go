package files

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/loongclaw/loongclaw/agent/bucket"
)

// A name becomes a key's segment character by character: letters, digits, "-"
// and "." (not in front) stay; another one becomes _XX up to U+00FF, _uXXXX up
// to U+FFFF, _vXXXXXX above. A name whose code is longer than a segment may be
// goes on in the next segment: a "_" that ends a segment says so, which no coded
// character does. So keys stay readable, and each decodes to exactly one path.

// maxKey is the longest coded path: a store takes keys of 1024 bytes, the
// workspace's own prefix included.
const maxKey = 800

// encodePath gives the key of a cleaned path below the workspace's prefix.
func encodePath(path string) string {
	if path == "" {
		return ""
	}
	names := strings.Split(path, "/")
	for i, n := range names {
		names[i] = encodeName(n)
	}
	return strings.Join(names, "/")
}

func encodeName(name string) string {
	var b strings.Builder
	room := bucket.MaxSegment - 1 // the last byte is kept for "_"
	for i, r := range name {
		code := encodeRune(r, i == 0)
		if room < len(code) {
			b.WriteString("_/")
			room = bucket.MaxSegment - 1
			code = encodeRune(r, true) // no segment begins with "."
		}
		b.WriteString(code)
		room -= len(code)
	}
	return b.String()
}

func encodeRune(r rune, first bool) string {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '.' && !first:
		return string(r)
	case r <= 0xFF:
		return fmt.Sprintf("_%02X", r)
	case r <= 0xFFFF:
		return fmt.Sprintf("_u%04X", r)
	}
	return fmt.Sprintf("_v%06X", r)
}

// decodePath gives the path that encodePath encoded, and an error for a key that
// encodePath does not give.
func decodePath(key string) (string, error) {
	if !utf8.ValidString(key) {
		return "", errors.New("files: a key is not UTF-8")
	}
	joined := strings.ReplaceAll(key, "_/", "")
	names := strings.Split(joined, "/")
	for i, n := range names {
		name, err := decodeName(n)
		if err != nil {
			return "", fmt.Errorf("files: key %q: %w", key, err)
		}
		names[i] = name
	}
	path := strings.Join(names, "/")
	if encodePath(path) != key {
		return "", fmt.Errorf("files: key %q is no file's", key)
	}
	return path, nil
}

func decodeName(code string) (string, error) {
	var b strings.Builder
	for code != "" {
		if code[0] != '_' {
			b.WriteByte(code[0])
			code = code[1:]
			continue
		}
		digits := 2
		code = code[1:]
		switch {
		case strings.HasPrefix(code, "u"):
			digits, code = 4, code[1:]
		case strings.HasPrefix(code, "v"):
			digits, code = 6, code[1:]
		}
		if len(code) < digits {
			return "", errors.New("a code is cut off")
		}
		r, err := strconv.ParseUint(code[:digits], 16, 32)
		if err != nil {
			return "", err
		}
		b.WriteRune(rune(r)) //nolint:gosec // parsed as 32 bits
		code = code[digits:]
	}
	if b.Len() == 0 || strings.Contains(b.String(), "/") {
		return "", errors.New("no name")
	}
	return b.String(), nil
}
