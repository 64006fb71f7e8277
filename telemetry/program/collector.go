package program

import (
	"io/fs"
	"math"
	"path"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
)

// collectorPercent is how much garbage may gather beside what is in use, in percent of
// it. Go's 100 has the collector of the agent run every half a second while people chat,
// and that of the gateway twenty times a second under load, for heaps of a few MiB. With
// 200 a chat takes a twentieth less CPU and a request through the gateway a tenth, for
// some 10 MiB more.
const collectorPercent = 200

// TuneCollector lets garbage gather, and sees to it that it does not where memory is
// short: from half of what this machine or container has on the collector runs as often
// as it must. GOGC and GOMEMLIMIT say otherwise where they are set.
func TuneCollector(system fs.FS, env func(string) string) {
	if env("GOMEMLIMIT") == "" {
		if most := memoryOf(system); most > 0 {
			debug.SetMemoryLimit(most / 2)
		}
	}
	if env("GOGC") == "" {
		debug.SetGCPercent(collectorPercent)
	}
}

// memoryOf returns how many bytes of memory this process may take at most: those of its
// control groups or of the machine, whichever are least; 0 where none says.
func memoryOf(system fs.FS) int64 {
	least := int64(math.MaxInt64)
	for _, file := range limitFiles(system) {
		b, err := fs.ReadFile(system, file)
		if n, bad := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64); err == nil && bad == nil && n > 0 { // "max" is no number
			least = min(least, n)
		}
	}
	b, err := fs.ReadFile(system, "proc/meminfo")
	if rest, ok := strings.CutPrefix(string(b), "MemTotal:"); err == nil && ok {
		kib, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
		if n, bad := strconv.ParseInt(kib, 10, 64); bad == nil && n > 0 {
			least = min(least, n<<10)
		}
	}
	if least == math.MaxInt64 {
		return 0
	}
	return least
}

// limitFiles returns where the limits of this process's control groups stand. A container
// sees its own group as the topmost one; a service of systemd is in a group below it, and
// each group above bounds it, too.
func limitFiles(system fs.FS) []string {
	files := []string{"sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory/memory.limit_in_bytes"}
	b, _ := fs.ReadFile(system, "proc/self/cgroup") // elsewhere than on Linux there are none
	for line := range strings.Lines(string(b)) {
		_, group, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, dir, _ := strings.Cut(group, ":")
		root, file := "sys/fs/cgroup", "memory.max"
		if slices.Contains(strings.Split(controllers, ","), "memory") { // of an older kernel
			root, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
		} else if controllers != "" {
			continue
		}
		for dir = path.Clean("/" + dir); dir != "/"; dir = path.Dir(dir) {
			files = append(files, path.Join(root, dir, file))
		}
	}
	return files
}
