package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

var (
	bin  testenv.Binaries
	seed = flag.Uint64("seed", 0, "repeat the choices of an earlier run; 0 chooses")
)

func TestMain(m *testing.M) { os.Exit(runAll(m)) }

func runAll(m *testing.M) int {
	flag.Parse()
	dir, err := os.MkdirTemp("", "loongclaw-soak-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if bin, err = testenv.Build(context.Background(), dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	return m.Run()
}

// soak plays a plan and wants everything right, and enough of it.
func soak(t *testing.T, p Plan, atLeast map[string]int) {
	t.Helper()
	p.Bin, p.Dir, p.Seed, p.Out = bin, t.TempDir(), *seed, io.Discard
	p.Users, p.Sessions = max(p.Users, 4), 2
	p.Between = 400 * time.Millisecond
	r, err := Run(t.Context(), p)
	t.Log(r)
	if err != nil {
		t.Fatal(err)
	}
	for what, n := range atLeast {
		if r.Counts[what] < n {
			t.Errorf("%s: %d, want %d or more: this run shows too little", what, r.Counts[what], n)
		}
	}
}

func TestKilledOnDisk(t *testing.T) {
	soak(t, Plan{Store: OnDisk, Rounds: 20}, map[string]int{"killed": 20, "acknowledged": 30, "finished done": 10})
}

func TestKilledOnSQLite(t *testing.T) {
	soak(t, Plan{Store: OnSQLite, Rounds: 15}, map[string]int{"killed": 15, "acknowledged": 20, "finished done": 5})
}

func TestTwoAgentsOnOneFile(t *testing.T) {
	soak(t, Plan{Store: OnSQLite, Agents: 2, Rounds: 5, Calm: 2 * time.Second}, map[string]int{"killed": 5, "acknowledged": 15})
}

func TestKilledOnS3(t *testing.T) {
	soak(t, Plan{Store: OnS3, Rounds: 15}, map[string]int{"killed": 15, "acknowledged": 15, "finished done": 5})
}

func TestFaultsBeforeS3(t *testing.T) {
	soak(t, Plan{Store: OnS3, Faults: true, Calm: 10 * time.Second}, map[string]int{"acknowledged": 20, "fault: SlowDown": 5, "finished done": 10})
}

func TestKilledAmongFaults(t *testing.T) {
	soak(t, Plan{Store: OnS3, Faults: true, Rounds: 5}, map[string]int{"killed": 5, "acknowledged": 5})
}

func TestTwoAgentsOnOneStore(t *testing.T) {
	soak(t, Plan{Store: OnS3, Agents: 2, Rounds: 5, Calm: 2 * time.Second}, map[string]int{"killed": 5, "acknowledged": 15})
}

func TestPlansThatCannotBe(t *testing.T) {
	for _, p := range []Plan{{Store: "tape"}, {Store: OnDisk, Agents: 2}, {Store: OnDisk, Faults: true}, {Store: OnSQLite, Faults: true}, {Store: OnS3, Agents: 1, Partition: time.Second}} {
		if _, err := Run(t.Context(), p); err == nil {
			t.Errorf("%+v was played", p)
		}
	}
}

// TestTheBucketSuiteOnARealServer runs the conformance suite of the agent's
// stores, which lies in the agent's module, on the server that the soak uses.
func TestTheBucketSuiteOnARealServer(t *testing.T) {
	s, err := testenv.StartS3(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Kill()
	root, err := testenv.Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-v", "-run", "TestARealServerIsABucket", "./bucket/r2")
	cmd.Dir = filepath.Join(root, "agent")
	cmd.Env = append(os.Environ(), "S3_TEST_ENDPOINT="+s.URL, "S3_TEST_BUCKET="+s.Bucket, "S3_TEST_ACCESS_KEY_ID="+s.AccessKey, "S3_TEST_SECRET_ACCESS_KEY="+s.SecretKey)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestARealServerIsABucket") {
		t.Errorf("%v\n%s", err, out)
	}
}
