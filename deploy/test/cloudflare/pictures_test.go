package cloudflare

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
)

// TestPicturesReachTheModel sends as many bytes of pictures as a request to a model may
// have from a container through the egress proxy. Containers here have all of the
// machine's memory, so the agent is told what it finds by itself in one of 256 MiB: from
// half of that on garbage is collected as often as it must.
func TestPicturesReachTheModel(t *testing.T) {
	w := newWorld(t, map[string]string{"LLM_VISION": "true", "LLM_CONTEXT_TOKENS": "200000", "SLEEP_AFTER": "5m", "GOMEMLIMIT": "128MiB"})
	c := w.user("ann")
	var paths []map[string]string
	for i := range 7 {
		path := fmt.Sprintf("pictures/%d.jpg", i)
		put(t, c, "/api/files/"+path, noise(t, uint64(i)))
		paths = append(paths, map[string]string{"path": path})
	}
	began := time.Now()
	a := ask(t, c, http.StatusAccepted, "POST", client.SessionPath("p", "/runs"), map[string]any{"message": "look", "attachments": paths})
	var r run
	if err := a.JSON(&r); err != nil {
		t.Fatal(err)
	}
	if end := finish(t, c, client.NewLedger(), r); end.Status != "done" {
		t.Errorf("%+v", end)
	}
	took := time.Since(began)
	all := w.model.Requests("") // the text has lines about the files, and is no script any more
	if len(all) != 1 || all[0].Size < 17_000_000 || all[0].Size > 19_500_000 {
		t.Fatalf("the model was asked %+v, and is to be once, with a little less than 19 MB whose length is said", all)
	}
	most := peak(t, mustDocker(t, "inspect", "--format", "{{.State.Pid}}", w.agents(t)[0]))
	t.Logf("%d bytes, %v from the message to the end, the agent's peak %d MiB", all[0].Size, took.Round(time.Millisecond), most)
	if most > 256 {
		t.Errorf("the agent took %d MiB, and its container has 256", most)
	}
}

// noise is a picture that no format makes smaller.
func noise(t *testing.T, seed uint64) []byte {
	t.Helper()
	draw := rand.New(rand.NewPCG(seed, 1)) // #nosec G404 -- noise
	img := image.NewRGBA(image.Rect(0, 0, 1700, 1500))
	for i := range img.Pix {
		img.Pix[i] = byte(draw.Uint32())
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 83}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// put writes a file into a user's workspace.
func put(t *testing.T, c *client.Client, path string, body []byte) {
	t.Helper()
	q, err := http.NewRequestWithContext(limited(t), http.MethodPut, c.Base+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Authorization", "Bearer "+fmt.Sprintf(tokenOf, "ann"))
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	said, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if res.StatusCode >= 300 {
		t.Fatalf("PUT %s of %d bytes: %d %s", path, len(body), res.StatusCode, said)
	}
}

// peak is the most memory that a process has had, in MiB.
func peak(t *testing.T, pid string) int {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("/proc", pid, "status"))
	if err != nil {
		t.Fatal(err)
	}
	var kib int
	_, rest, _ := strings.Cut(string(b), "VmHWM:")
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		t.Fatal(err)
	}
	return kib >> 10
}
