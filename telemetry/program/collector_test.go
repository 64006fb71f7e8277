package program

import (
	"math"
	"runtime/debug"
	"testing"
	"testing/fstest"
)

func TestMemoryOf(t *testing.T) {
	const machine = "MemTotal:       24574024 kB\nMemFree:         1 kB\n"
	for name, c := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"a machine":                     {map[string]string{"proc/meminfo": machine}, 24574024 << 10},
		"a container":                   {map[string]string{"proc/meminfo": machine, "sys/fs/cgroup/memory.max": "268435456\n"}, 256 << 20},
		"a container without a limit":   {map[string]string{"proc/meminfo": machine, "sys/fs/cgroup/memory.max": "max\n"}, 24574024 << 10},
		"an older kernel's":             {map[string]string{"proc/meminfo": machine, "sys/fs/cgroup/memory/memory.limit_in_bytes": "134217728"}, 128 << 20},
		"an older kernel's without one": {map[string]string{"proc/meminfo": machine, "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712"}, 24574024 << 10},
		"a service": {map[string]string{
			"proc/meminfo": machine, "proc/self/cgroup": "0::/system.slice/a:b.service\n",
			"sys/fs/cgroup/system.slice/a:b.service/memory.max": "1073741824\n", "sys/fs/cgroup/system.slice/memory.max": "max\n",
		}, 1 << 30},
		"a service whose slice has less": {map[string]string{
			"proc/meminfo": machine, "proc/self/cgroup": "0::/system.slice/a.service\n",
			"sys/fs/cgroup/system.slice/a.service/memory.max": "1073741824\n", "sys/fs/cgroup/system.slice/memory.max": "536870912\n",
		}, 512 << 20},
		"an older kernel's service": {map[string]string{
			"proc/meminfo": machine, "proc/self/cgroup": "5:cpu,cpuacct:/other\n4:memory:/system.slice/a.service\n1:name=systemd:/other\n0::/\n",
			"sys/fs/cgroup/memory/system.slice/a.service/memory.limit_in_bytes": "268435456\n", "sys/fs/cgroup/other/memory.max": "1\n",
		}, 256 << 20},
		"a group outside of what can be seen": {map[string]string{"proc/meminfo": machine, "proc/self/cgroup": "0::/../../a\nnonsense\n\n"}, 24574024 << 10},
		"nothing that can be read":            {map[string]string{"proc/meminfo": "MemTotal: \n", "sys/fs/cgroup/memory.max": "-"}, 0},
		"no Linux":                            {nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			system := fstest.MapFS{}
			for path, text := range c.files {
				system[path] = &fstest.MapFile{Data: []byte(text)}
			}
			if got := memoryOf(system); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

func TestTheOwnersWordOnTheCollectorCounts(t *testing.T) {
	limit, percent := debug.SetMemoryLimit(-1), debug.SetGCPercent(100)
	t.Cleanup(func() {
		debug.SetMemoryLimit(limit)
		debug.SetGCPercent(percent)
	})
	system := fstest.MapFS{"sys/fs/cgroup/memory.max": &fstest.MapFile{Data: []byte("268435456")}}
	for _, c := range []struct {
		env     map[string]string
		limit   int64
		percent int
	}{
		{nil, 128 << 20, collectorPercent},
		{map[string]string{"GOGC": "50"}, 128 << 20, 100},
		{map[string]string{"GOMEMLIMIT": "1GiB"}, math.MaxInt64, collectorPercent},
	} {
		debug.SetMemoryLimit(math.MaxInt64)
		debug.SetGCPercent(100)
		TuneCollector(system, func(name string) string { return c.env[name] })
		if got := debug.SetMemoryLimit(-1); got != c.limit {
			t.Errorf("%v: the limit is %d, want %d", c.env, got, c.limit)
		}
		if got := debug.SetGCPercent(100); got != c.percent {
			t.Errorf("%v: the percentage is %d, want %d", c.env, got, c.percent)
		}
	}
}
