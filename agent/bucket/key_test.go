package bucket_test

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/loongclaw/loongclaw/agent/bucket"
)

// TestKeys holds the check of keys against the definition of what a key is.
func TestKeys(t *testing.T) {
	definition := regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$`)
	is := func(key string) bool {
		for _, s := range strings.Split(key, "/") {
			if len(s) > bucket.MaxSegment {
				return false
			}
		}
		return definition.MatchString(key) && !strings.Contains(key, "\n")
	}
	for _, key := range []string{"", "a", "/", "a/", "/a", "a//b", ".", "a/.", "a/..b", "a.", "-/_", "a\n", "é", "a\x00", "a/\x7f", strings.Repeat("a", 255), strings.Repeat("a", 256) + "/b"} {
		if got := bucket.CheckKey(key) == nil; got != is(key) {
			t.Errorf("%q is a key: %v, want %v", key, got, is(key))
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.StringOfN(rapid.SampledFrom([]rune("aZ0_-./ \né@[`{:")), 0, 12, -1).Draw(t, "key")
		if got := bucket.CheckKey(key) == nil; got != is(key) {
			t.Errorf("%q is a key: %v, want %v", key, got, is(key))
		}
	})
}
