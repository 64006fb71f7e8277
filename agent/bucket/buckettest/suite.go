// Package buckettest is the conformance suite of bucket.Bucket.
//
// Owns: what every store must do, as tests.
// Touches: the bucket that it is given; everything below the prefix "t/".
// Never: knows which store it tests.
package buckettest

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/agent/bucket"
)

// Run runs the suite on an empty bucket.
func Run(t *testing.T, b bucket.Bucket) {
	t.Helper()
	for _, c := range []struct {
		name string
		test func(*testing.T, bucket.Bucket)
	}{
		{"an object reads back as written", readsBack},
		{"the largest object reads back, and none larger is taken", largest},
		{"a missing object is ErrNotFound", missing},
		{"only one of many creators wins", oneCreator},
		{"replace needs the current ETag", replaces},
		{"only one of many replacers wins", oneReplacer},
		{"delete is repeatable and create works after it", deletes},
		{"list is ordered, ranged and complete", lists},
		{"its conditions can be proved", func(t *testing.T, b bucket.Bucket) {
			if err := bucket.Prove(t.Context(), b); err != nil {
				t.Error(err)
			}
		}},
		{"keys that leave the bucket are refused", refusesKeys},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, b) })
	}
}

func readsBack(t *testing.T, b bucket.Bucket) {
	for _, body := range [][]byte{{}, []byte("hello"), bytes.Repeat([]byte{0, 255}, 1<<19)} {
		key := fmt.Sprintf("t/read/%d", len(body))
		tag, err := b.Put(t.Context(), key, body)
		if err != nil {
			t.Fatal(err)
		}
		got, err := b.Get(t.Context(), key)
		if err != nil || !bytes.Equal(got.Body, body) || got.ETag != tag {
			t.Errorf("Get(%s) = %d bytes, ETag %s, %v; want %d bytes, ETag %s", key, len(got.Body), got.ETag, err, len(body), tag)
		}
	}
}

func largest(t *testing.T, b bucket.Bucket) {
	body := bytes.Repeat([]byte("0123456789abcdef"), bucket.MaxObject/16)
	if _, err := b.Create(t.Context(), "t/largest/whole", body); err != nil {
		t.Fatal(err)
	}
	if got, err := b.Get(t.Context(), "t/largest/whole"); err != nil || !bytes.Equal(got.Body, body) {
		t.Errorf("Get of %d bytes = %d bytes, %v", len(body), len(got.Body), err)
	}
	if page, _, err := b.List(t.Context(), "t/largest/", "", 0); err != nil || len(page) != 1 || page[0].Size != bucket.MaxObject {
		t.Errorf("List = %+v, %v, want one object of %d bytes", page, err, bucket.MaxObject)
	}
	tag, err := b.Put(t.Context(), "t/largest/more", []byte("before"))
	if err != nil {
		t.Fatal(err)
	}
	more := append(body, 'x')
	for what, write := range map[string]func() (string, error){
		"Create":  func() (string, error) { return b.Create(t.Context(), "t/largest/new", more) },
		"Put":     func() (string, error) { return b.Put(t.Context(), "t/largest/more", more) },
		"Replace": func() (string, error) { return b.Replace(t.Context(), "t/largest/more", more, tag) },
	} {
		if _, err := write(); !errors.Is(err, bucket.ErrTooLarge) {
			t.Errorf("%s of one byte more: %v, want ErrTooLarge", what, err)
		}
	}
	if _, err := b.Get(t.Context(), "t/largest/new"); !errors.Is(err, bucket.ErrNotFound) {
		t.Errorf("after a Create that was refused: %v, want nothing", err)
	}
	if o, err := b.Get(t.Context(), "t/largest/more"); err != nil || string(o.Body) != "before" {
		t.Errorf("after a Put that was refused: %d bytes, %v", len(o.Body), err)
	}
	for _, key := range []string{"t/largest/whole", "t/largest/more"} {
		if err := b.Delete(t.Context(), key); err != nil {
			t.Error(err)
		}
	}
}

func missing(t *testing.T, b bucket.Bucket) {
	if _, err := b.Get(t.Context(), "t/none/at/all"); !errors.Is(err, bucket.ErrNotFound) {
		t.Errorf("Get = %v, want ErrNotFound", err)
	}
	if _, err := b.Replace(t.Context(), "t/none", []byte("x"), "0123"); !errors.Is(err, bucket.ErrChanged) {
		t.Errorf("Replace = %v, want ErrChanged", err)
	}
}

func race(n int, try func(i int) error) (won int, errs []error) {
	var wg sync.WaitGroup
	var wins atomic.Int64
	out := make([]error, n)
	for i := range n {
		wg.Go(func() {
			if out[i] = try(i); out[i] == nil {
				wins.Add(1)
			}
		})
	}
	wg.Wait()
	return int(wins.Load()), out
}

func oneCreator(t *testing.T, b bucket.Bucket) {
	won, errs := race(16, func(i int) error {
		_, err := b.Create(t.Context(), "t/create", fmt.Appendf(nil, "writer %d", i))
		return err
	})
	if won != 1 {
		t.Errorf("%d creators won, want 1", won)
	}
	for i, err := range errs {
		if err != nil && !errors.Is(err, bucket.ErrExists) {
			t.Errorf("creator %d: %v, want ErrExists", i, err)
		}
		if err == nil {
			if o, _ := b.Get(t.Context(), "t/create"); string(o.Body) != fmt.Sprintf("writer %d", i) {
				t.Errorf("the object holds %q, but writer %d won", o.Body, i)
			}
		}
	}
}

func replaces(t *testing.T, b bucket.Bucket) {
	one, err := b.Put(t.Context(), "t/replace", []byte("one"))
	if err != nil {
		t.Fatal(err)
	}
	two, err := b.Replace(t.Context(), "t/replace", []byte("two"), one)
	if err != nil || two == one {
		t.Fatalf("Replace = %q, %v", two, err)
	}
	if _, err := b.Replace(t.Context(), "t/replace", []byte("three"), one); !errors.Is(err, bucket.ErrChanged) {
		t.Errorf("stale Replace = %v, want ErrChanged", err)
	}
	if o, _ := b.Get(t.Context(), "t/replace"); string(o.Body) != "two" {
		t.Errorf("object = %q, want two", o.Body)
	}
}

func oneReplacer(t *testing.T, b bucket.Bucket) {
	tag, err := b.Put(t.Context(), "t/replace-race", []byte("start"))
	if err != nil {
		t.Fatal(err)
	}
	won, errs := race(8, func(i int) error {
		_, err := b.Replace(t.Context(), "t/replace-race", fmt.Appendf(nil, "writer %d", i), tag)
		return err
	})
	if won != 1 {
		t.Errorf("%d replacers won, want 1: %v", won, errs)
	}
}

func deletes(t *testing.T, b bucket.Bucket) {
	key := "t/delete/a/b"
	if _, err := b.Create(t.Context(), key, []byte("x")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := b.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.Create(t.Context(), key, []byte("y")); err != nil {
		t.Errorf("Create after Delete: %v", err)
	}
}

func lists(t *testing.T, b bucket.Bucket) {
	want := []string{"t/list/a-b", "t/list/a.b", "t/list/a/1", "t/list/a/2", "t/list/a/b/c", "t/list/a0", "t/list/b", "t/list/d/e/f-g", "t/list/d/e/f/g/h", "t/list/d/e/f/z", "t/list/d/e/f0", "t/list/d/e0/f"}
	for i := range want { // not in order
		if _, err := b.Put(t.Context(), want[(i*5)%len(want)], []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if got := listAll(t, b, "t/list/", "", 2); cmp.Diff(want, got) != "" {
		t.Errorf("List in pages of 2 (-want +got):\n%s", cmp.Diff(want, got))
	}
	if got := listAll(t, b, "t/list/a/", "t/list/a/1", 0); cmp.Diff([]string{"t/list/a/2", "t/list/a/b/c"}, got) != "" {
		t.Errorf("ranged List = %v", got)
	}
	if got := listAll(t, b, "t/list/a", "t/list/a/zzz", 0); cmp.Diff([]string{"t/list/a0"}, got) != "" {
		t.Errorf("List after what is no key = %v", got)
	}
	if got := listAll(t, b, "t/nothing/", "", 0); len(got) != 0 {
		t.Errorf("List of nothing = %v", got)
	}
}

func listAll(t *testing.T, b bucket.Bucket, prefix, after string, limit int) []string {
	t.Helper()
	var keys []string
	for {
		got, more, err := b.List(t.Context(), prefix, after, limit)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range got {
			keys = append(keys, e.Key)
			after = e.Key
		}
		if !more {
			return keys
		}
	}
}

func refusesKeys(t *testing.T, b bucket.Bucket) {
	for _, key := range []string{"", "/a", "a//b", "../a", "a/../../b", "a/.", "a\x00b", "a/é"} {
		if _, err := b.Create(t.Context(), key, []byte("x")); err == nil {
			t.Errorf("Create(%q) was let in", key)
		}
	}
}
