package main

import (
	"bytes"
	"errors"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// harden keeps this process's secrets from programs that tools start, which run
// as the same user. The environment that the kernel keeps is wiped, now that it
// has been read; the process becomes undumpable, so that its memory cannot be
// looked into. For root that would not count by itself: see confine.
func harden() error {
	err := wipeEnvironment() // an undumpable process may not open its own memory
	return errors.Join(err, unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0))
}

// confine takes from this thread the capability to look into other processes, so
// that no program that it starts gets it, where the agent is root, too. The agent
// itself does not need it; where there is none, there is none to lose.
func confine() {
	if os.Geteuid() == 0 {
		_ = unix.Prctl(unix.PR_CAPBSET_DROP, unix.CAP_SYS_PTRACE, 0, 0, 0)
	}
}

// wipeEnvironment overwrites what /proc/PID/environ shows. The Go runtime works
// on a copy.
func wipeEnvironment() (err error) {
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return err
	}
	// The second field, the program's name, may hold anything but ends in the last ')'.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	const start, end = 50 - 3, 51 - 3 // env_start and env_end of proc(5)
	if len(fields) <= end {
		return errors.New("/proc/self/stat does not say where the environment is")
	}
	from, err := strconv.ParseInt(string(fields[start]), 10, 64)
	if err != nil {
		return err
	}
	to, err := strconv.ParseInt(string(fields[end]), 10, 64)
	if err != nil || to <= from || to-from > 4<<20 {
		return errors.Join(err, errors.New("/proc/self/stat says nothing of the environment"))
	}
	mem, err := os.OpenFile("/proc/self/mem", os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = mem.WriteAt(make([]byte, to-from), from)
	return errors.Join(err, mem.Close())
}
