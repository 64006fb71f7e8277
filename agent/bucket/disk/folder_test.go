package disk_test

import (
	"context"
	"errors"
	"testing"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/bucket/disk"
)

func TestADirectoryIsNoObjectAndAnObjectNoDirectory(t *testing.T) {
	ctx := context.Background()
	d, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	if _, err := d.Create(ctx, "a/b", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Get(ctx, "a"); !errors.Is(err, bucket.ErrNotFound) {
		t.Errorf("Get of a directory: %v, want ErrNotFound", err)
	}
	if got, more, err := d.List(ctx, "a/b/", "", 0); err != nil || more || len(got) != 0 {
		t.Errorf("List below an object = %v, %v, %v, want nothing", got, more, err)
	}
	for _, key := range []string{"a", "a/b/c", "a/b/c/d", "a/c"} {
		if err := d.Delete(ctx, key); err != nil {
			t.Errorf("Delete of %s, which is no object: %v", key, err)
		}
		if _, err := d.Get(ctx, "a/b"); err != nil {
			t.Fatalf("Get of a/b after a Delete of %s: %v", key, err)
		}
	}
}
