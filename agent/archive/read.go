package archive

import (
	"archive/tar"
	"context"
	"errors"
	"io"
	"strings"

	"github.com/loongclaw/loongclaw/agent/bucket"
)

// Archive is an open archive: a bucket that can be read, and whose every read is
// checked against the manifest. Nothing of it is unpacked.
type Archive struct {
	*source
	Manifest Manifest
	Files    bool // a Restore brings back files, too, that the workspace had and has no more
}

// place is where in the tar an entry's bytes lie.
type place struct{ at, size int64 }

// Open reads an archive's index. ErrNoArchive says that the tar has neither a
// manifest nor a user's objects.
func Open(r io.ReaderAt, size int64) (*Archive, error) {
	places, m, err := index(r, size)
	if err != nil {
		return nil, err
	}
	if len(places) != len(m.Sums) {
		return nil, broken("it holds %d objects, its manifest lists %d", len(places), len(m.Sums))
	}
	entries := make([]bucket.Entry, len(m.Sums))
	for i, s := range m.Sums {
		if p, there := places[s.Key]; !there || p.size != s.Size {
			return nil, broken("%s is missing or cut", quote(s.Key))
		}
		entries[i] = bucket.Entry{Key: s.Key, Size: s.Size, ETag: s.SHA256}
	}
	a := &Archive{Manifest: m}
	a.source = newShelf(entries, func(_ context.Context, e bucket.Entry) ([]byte, error) {
		return read(r, e, places[e.Key])
	})
	return a, nil
}

// read gives an object's bytes, if they are what the manifest says.
func read(r io.ReaderAt, e bucket.Entry, p place) ([]byte, error) {
	body := make([]byte, p.size)
	if n, err := r.ReadAt(body, p.at); n < len(body) {
		return nil, errors.Join(broken("%s cannot be read", quote(e.Key)), err)
	}
	if sumOf(e.Key, body).SHA256 != e.ETag {
		return nil, broken("%s is not what its manifest says", quote(e.Key))
	}
	return body, nil
}

// index finds the objects and the manifest in a tar.
func index(r io.ReaderAt, size int64) (map[string]place, Manifest, error) {
	in := io.NewSectionReader(r, 0, size)
	t := tar.NewReader(in)
	places := map[string]place{}
	var m *Manifest
	for {
		head, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, Manifest{}, unreadable(len(places) > 0)
		}
		// The tar reader takes header blocks and nothing ahead of them, so this is
		// where the entry's bytes begin.
		at, err := in.Seek(0, io.SeekCurrent)
		if err != nil {
			return nil, Manifest{}, broken("it cannot be read")
		}
		name := strings.TrimPrefix(head.Name, "./") // as `tar -c .` writes it
		switch {
		case head.Typeflag == tar.TypeDir || head.Typeflag == tar.TypeXGlobalHeader:
			continue
		case name == manifest && m == nil && plain(head):
			parsed, err := readManifest(r, place{at, head.Size}, size)
			if err != nil {
				return nil, Manifest{}, err
			}
			m = &parsed
			continue
		case !strings.HasPrefix(name, "u/") && m == nil && len(places) == 0:
			return nil, Manifest{}, ErrNoArchive
		}
		if err := admit(places, name, head, place{at, head.Size}, size); err != nil {
			return nil, Manifest{}, err
		}
	}
	switch {
	case m == nil && len(places) == 0:
		return nil, Manifest{}, ErrNoArchive
	case m == nil:
		return nil, Manifest{}, broken("it has no manifest; its end is missing")
	}
	return places, *m, nil
}

// unreadable is the error of what is no tar, or none any more.
func unreadable(begun bool) error {
	if begun {
		return broken("it ends too early, or is no tar")
	}
	return ErrNoArchive
}

// plain says that an entry is an ordinary file: no link, no device, no holes.
func plain(head *tar.Header) bool {
	for k := range head.PAXRecords {
		if strings.HasPrefix(k, "GNU.sparse") {
			return false
		}
	}
	return head.Typeflag == tar.TypeReg
}

// admit takes an object into the index. Whose it is, the manifest says later.
func admit(places map[string]place, name string, head *tar.Header, p place, total int64) error {
	_, twice := places[name]
	switch {
	case !plain(head):
		return broken("%s is no ordinary file", quote(head.Name))
	case len(name) > maxKey || bucket.CheckKey(name) != nil:
		return broken("%s is no object's key", quote(head.Name))
	case twice:
		return broken("%s is in it twice", quote(name))
	case p.size > MaxObject:
		return tooLarge("the archive's %s is larger than %d MiB", quote(name), MaxObject>>20)
	case p.size < 0 || p.at > total-p.size:
		return broken("%s is cut", quote(name))
	case len(places) == MaxObjects:
		return tooLarge("the archive has more than %d objects", MaxObjects)
	}
	places[name] = p
	return nil
}

func readManifest(r io.ReaderAt, p place, total int64) (Manifest, error) {
	if p.size > maxManifest {
		return Manifest{}, tooLarge("the archive's manifest is larger than %d MiB", maxManifest>>20)
	}
	if p.size < 0 || p.at > total-p.size {
		return Manifest{}, broken("its manifest is cut")
	}
	body := make([]byte, p.size)
	if n, err := r.ReadAt(body, p.at); n < len(body) {
		return Manifest{}, errors.Join(broken("its manifest cannot be read"), err)
	}
	return parseManifest(body)
}
