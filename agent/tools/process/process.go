package shell

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// The limits of one program and all that it starts. They are far above what
// honest work needs, and far below what takes a machine down.
const (
	maxProcesses = 64
	maxMemory    = 1 << 30 // bytes resident, all together
	watchEvery   = 50 * time.Millisecond
	killPause    = 5 * time.Millisecond
	programNice  = 10
)

// watch looks after a program and all its descendants, through /proc; where
// there is none it sees nothing. One that leaves the program's process group is
// still its descendant, and one whose parent has ended becomes, where the agent
// adopts, the agent's own child, by which it is known: the agent starts nothing
// else.
type watch struct {
	root      int // the program's process
	processes int
	memory    int64
	adopts    bool
	exceeded  string // what went beyond its limit; guarded by mu

	mu   sync.Mutex
	stop chan struct{}
	done chan struct{}
}

// started are the programs that run now, of all lines: their processes are no
// orphans.
var started = struct {
	sync.Mutex
	pids map[int]bool
}{pids: map[int]bool{}}

// watchProgram begins to look after a program that was just started.
func watchProgram(pid, processes int, memory int64, adopts bool) *watch {
	w := &watch{root: pid, processes: processes, memory: memory, adopts: adopts, stop: make(chan struct{}), done: make(chan struct{})}
	if processes <= 0 {
		w.processes = maxProcesses
	}
	if memory <= 0 {
		w.memory = maxMemory
	}
	// Whatever it does with the machine, the agent comes first.
	_ = syscall.Setpriority(syscall.PRIO_PGRP, pid, programNice)
	// Where memory runs out all the same, this goes and not the agent.
	_ = os.WriteFile(filepath.Join("/proc", strconv.Itoa(pid), "oom_score_adj"), []byte("1000"), 0)
	go w.run()
	return w
}

func (w *watch) run() {
	defer close(w.done)
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			w.look()
		case <-w.stop:
			return
		}
	}
}

// look ends everything where it is too much.
func (w *watch) look() {
	all := processes()
	kin := descendants(all, w.root)
	memory := int64(0)
	for _, pid := range kin {
		memory += all[pid].resident
	}
	what := ""
	switch {
	case len(kin) > w.processes:
		what = "too many processes"
	case memory > w.memory:
		what = "too much memory"
	default:
		w.reap()
		return
	}
	w.mu.Lock()
	w.exceeded = what
	w.mu.Unlock()
	w.kill()
}

// end stops looking, ends what the program left behind, and says what went
// beyond its limit.
func (w *watch) end() string {
	close(w.stop)
	<-w.done
	w.kill()
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.exceeded
}

// kill ends the program's group, its descendants, and what has no parent any
// more, again while there are new ones: they are stopped first, so that none
// can be faster.
func (w *watch) kill() {
	for range 20 {
		_ = syscall.Kill(-w.root, syscall.SIGKILL)
		all := processes()
		kin := descendants(all, w.root)
		kin = kin[min(1, len(kin)):] // the root itself belongs to whoever waits for it
		for _, pid := range kin {
			_ = syscall.Kill(pid, syscall.SIGSTOP)
		}
		for _, pid := range kin {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		if w.reap()+len(kin) == 0 {
			return
		}
		time.Sleep(killPause)
	}
}

// reap ends the orphans that have become the agent's own, and gives their number.
func (w *watch) reap() int {
	if !w.adopts {
		return 0
	}
	// While this is held no program starts, and a number cannot be another's: a
	// child's is free only when it was waited for.
	started.Lock()
	defer started.Unlock()
	orphans := 0
	all := processes()
	for pid, p := range all {
		if p.parent != os.Getpid() || started.pids[pid] {
			continue
		}
		for _, child := range descendants(all, pid) {
			_ = syscall.Kill(child, syscall.SIGKILL)
			orphans++
		}
		_, _ = syscall.Wait4(pid, nil, syscall.WNOHANG, nil) // else it stays as a zombie
	}
	return orphans
}

// process is what /proc says of one.
type process struct {
	parent   int
	resident int64
	zombie   bool
}

func processes() map[int]process {
	all := map[int]process{}
	dir, err := os.Open("/proc")
	if err != nil {
		return all
	}
	defer func() { _ = dir.Close() }() // only read from
	names, _ := dir.Readdirnames(-1)   // what could be read
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		stat, err := os.ReadFile(filepath.Join("/proc", name, "stat")) //nolint:gosec // the kernel's own
		if err != nil {
			continue // it has ended
		}
		// proc(5): the second field may hold anything, up to the last ')'.
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		if len(fields) < 22 {
			continue
		}
		parent, _ := strconv.Atoi(string(fields[1]))
		pages, _ := strconv.ParseInt(string(fields[21]), 10, 64)
		all[pid] = process{parent: parent, resident: pages * int64(os.Getpagesize()), zombie: fields[0][0] == 'Z'}
	}
	return all
}

// descendants gives a process and all below it that still run, itself first.
func descendants(all map[int]process, root int) []int {
	children := map[int][]int{}
	for pid, p := range all {
		children[p.parent] = append(children[p.parent], pid)
	}
	if _, there := all[root]; !there {
		return nil
	}
	kin := []int{root}
	for i := 0; i < len(kin); i++ {
		for _, child := range children[kin[i]] {
			if !all[child].zombie {
				kin = append(kin, child)
			}
		}
	}
	return kin
}
