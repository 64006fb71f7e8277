package process

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

// Watch looks after a program and all its descendants, through /proc; where
// there is none it sees nothing. One that leaves the program's process group is
// still its descendant, and one whose parent has ended becomes, where the agent
// adopts, the agent's own child, by which it is known: the agent starts nothing
// else.
type Watch struct {
	Processes int   // how many may run at the same time
	Memory    int64 // bytes resident, all together

	root     int // the program's process
	adopts   bool
	exceeded string // what went beyond its limit; guarded by mu

	mu   sync.Mutex
	stop chan struct{}
	done chan struct{}
}

// started are the programs that this process has started and not yet waited for:
// they are no orphans.
var started = struct {
	sync.Mutex
	pids map[int]bool
}{pids: map[int]bool{}}

// Start starts a program with start, which returns its process id, and notes it
// as no orphan. Every program that the agent starts is started through it: what
// it does not know, an adopting agent ends.
func Start(start func() (pid int, err error)) error {
	started.Lock()
	defer started.Unlock()
	pid, err := start()
	if err == nil {
		started.pids[pid] = true
	}
	return err
}

// Ended notes that a program was waited for.
func Ended(pid int) {
	started.Lock()
	defer started.Unlock()
	delete(started.pids, pid)
}

// StartWatch begins to look after a program that was just started. Limits of 0
// are the usual ones.
func StartWatch(pid, processes int, memory int64, adopts bool) *Watch {
	w := &Watch{root: pid, Processes: processes, Memory: memory, adopts: adopts, stop: make(chan struct{}), done: make(chan struct{})}
	if processes <= 0 {
		w.Processes = maxProcesses
	}
	if memory <= 0 {
		w.Memory = maxMemory
	}
	YieldTo(pid)
	go w.run()
	return w
}

// YieldTo makes a process that was just started come after the agent, for the
// processor and where memory runs out.
func YieldTo(pid int) {
	_ = syscall.Setpriority(syscall.PRIO_PGRP, pid, programNice)
	_ = os.WriteFile(filepath.Join("/proc", strconv.Itoa(pid), "oom_score_adj"), []byte("1000"), 0)
}

func (w *Watch) run() {
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
func (w *Watch) look() {
	all := processes()
	kin := descendants(all, w.root)
	memory := int64(0)
	for _, pid := range kin {
		memory += all[pid].resident
	}
	what := ""
	switch {
	case len(kin) > w.Processes:
		what = "too many processes"
	case memory > w.Memory:
		what = "too much memory"
	default:
		Reap(w.adopts)
		return
	}
	w.mu.Lock()
	w.exceeded = what
	w.mu.Unlock()
	KillTree(w.root, w.adopts)
}

// End stops looking, ends what the program left behind, and says what went
// beyond its limit.
func (w *Watch) End() string {
	close(w.stop)
	<-w.done
	KillTree(w.root, w.adopts)
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.exceeded
}

// KillTree ends a program's group, its descendants, and what has no parent any
// more, again while there are new ones: they are stopped first, so that none
// can be faster. The program itself belongs to whoever waits for it.
func KillTree(root int, adopts bool) {
	for range 20 {
		// Looked at before the kill: whose parent has ended is no descendant any more.
		all := processes()
		kin := descendants(all, root)
		_ = syscall.Kill(-root, syscall.SIGKILL)
		kin = kin[min(1, len(kin)):]
		for _, pid := range kin {
			_ = syscall.Kill(pid, syscall.SIGSTOP)
		}
		for _, pid := range kin {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		if Reap(adopts)+len(kin) == 0 {
			return
		}
		time.Sleep(killPause)
	}
}

// Reap ends the orphans that have become this process's own, where it adopts
// them, and gives their number.
func Reap(adopts bool) int {
	if !adopts {
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

// Alive reports whether a process runs, where /proc tells.
func Alive(pid int) bool {
	p, there := processes()[pid]
	return there && !p.zombie
}

// Running gives how many programs were started and have not been waited for.
func Running() int {
	started.Lock()
	defer started.Unlock()
	return len(started.pids)
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
