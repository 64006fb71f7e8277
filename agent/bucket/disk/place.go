package disk

import (
	"path"
	"strings"
)

// On disk a key has at most fixed+1 directories: those between the third and
// the last segment share one name, joined by a comma, which no key has. Every
// new directory costs a sync of the one above it, and a new session would need
// three of them before its first message is durable.
const fixed = 3

// place is where an object's file lies.
func place(key string) string {
	segs := strings.Split(key, "/")
	if len(segs) <= fixed+2 {
		return path.Join(objects, key)
	}
	last := len(segs) - 1
	parts := append([]string{objects}, segs[:fixed]...)
	parts = append(parts, joined(segs[fixed:last])...)
	return path.Join(append(parts, segs[last])...)
}

// joined makes as few names as hold the segments.
func joined(segs []string) []string {
	names := []string{segs[0]}
	for _, s := range segs[1:] {
		end := len(names) - 1
		if len(names[end])+1+len(s) > maxName {
			names = append(names, s)
		} else {
			names[end] += "," + s
		}
	}
	return names
}

// maxName is the longest name of a file on the usual file systems, in bytes.
const maxName = 255

// keyOf is the key of a place below objects.
func keyOf(place string) string { return strings.ReplaceAll(place, ",", "/") }
