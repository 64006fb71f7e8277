package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var vmRSS = regexp.MustCompile(`VmRSS:\s+(\d+) kB`)

// resident is a process's resident memory in KiB.
func resident(pid int) (int, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)) // #nosec G304 -- our own process
	if err != nil {
		return 0, err
	}
	m := vmRSS.FindSubmatch(b)
	if m == nil {
		return 0, errors.New("no VmRSS in /proc")
	}
	return strconv.Atoi(string(m[1]))
}

// clockTick is the unit of times in /proc/PID/stat; Linux has it fixed for programs.
const clockTick = 10 * time.Millisecond

// cpu returns how long a process has been at work, in its own code and in the kernel.
func cpu(pid int) (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)) // #nosec G304 -- our own process
	if err != nil {
		return 0, err
	}
	// The second field is the program's name in parentheses, which may hold anything.
	_, rest, ok := strings.Cut(string(b), ") ")
	fields := strings.Fields(rest)
	if !ok || len(fields) < 13 {
		return 0, errors.New("no times in /proc")
	}
	user, err := strconv.Atoi(fields[11])
	if err != nil {
		return 0, err
	}
	system, err := strconv.Atoi(fields[12])
	return time.Duration(user+system) * clockTick, err
}

// cpuOfAll returns how long a process and those that it started have been at work; none
// for the process 0.
func cpuOfAll(pid int) (time.Duration, error) {
	if pid == 0 {
		return 0, nil
	}
	all, err := cpu(pid)
	if err != nil {
		return 0, err
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid)) // #nosec G304 -- our own process
	if err != nil {
		return 0, err
	}
	for _, field := range strings.Fields(string(b)) {
		child, err := strconv.Atoi(field)
		if err != nil {
			return 0, err
		}
		spent, err := cpu(child)
		if err != nil {
			return 0, err
		}
		all += spent
	}
	return all, nil
}
