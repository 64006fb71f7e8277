package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/gateway/edge"
)

// parseAgents reads AGENT_URL.
func parseAgents(s string) ([]edge.Agent, error) {
	var all []edge.Agent
	var faults []error
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		url, ok := agentURL(part)
		if !ok {
			faults = append(faults, errors.New("holds what is not an agent's address; write http://host:port, without a path, several separated by commas"))
			continue
		}
		all = append(all, edge.Agent{URL: url})
	}
	if len(all) == 0 && len(faults) == 0 {
		faults = append(faults, errors.New("is empty; write the agent's address, such as http://127.0.0.1:8788"))
	}
	return all, errors.Join(faults...)
}

func agentURL(s string) (string, bool) {
	s = strings.TrimSuffix(s, "/")
	u, err := url.Parse(s)
	return s, err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil && u.Path == "" && u.RawQuery == "" && u.Fragment == ""
}

// maxAgentsFile is far more than any list of agents.
const maxAgentsFile = 64 << 10

// readAgents reads AGENT_URL_FILE: on each line an agent's address and what is
// particular about it: "spare", "only=USER,USER", "share=N", for N users in a hundred,
// or "until=TIME", after which the line does not count; # begins a comment.
func readAgents(path string, now time.Time) ([]edge.Agent, error) {
	b, err := os.ReadFile(path) // #nosec G304 -- whoever runs the gateway names the file
	if err != nil {
		return nil, fmt.Errorf("%w; make it readable, or unset it and use AGENT_URL", err)
	}
	if len(b) > maxAgentsFile {
		return nil, errors.New("is no list of agents: it is too long")
	}
	var all []edge.Agent
	serves := false
	for n, line := range strings.Split(string(b), "\n") {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		a, until, err := agentLine(words)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n+1, err)
		}
		if !until.IsZero() && !now.Before(until) {
			continue
		}
		for _, other := range all {
			if other.URL == a.URL {
				return nil, fmt.Errorf("line %d names an agent a second time", n+1)
			}
		}
		all, serves = append(all, a), serves || len(a.Users) == 0
	}
	if !serves {
		return nil, errors.New("names no agent that serves everybody; write one on a line of its own, such as http://127.0.0.1:8788")
	}
	return all, nil
}

func agentLine(words []string) (a edge.Agent, until time.Time, err error) {
	url, ok := agentURL(words[0])
	if !ok {
		return a, until, errors.New("is not an agent's address; write http://host:port, without a path")
	}
	a.URL = url
	for _, word := range words[1:] {
		name, value, _ := strings.Cut(word, "=")
		switch {
		case word == "spare":
			a.Backup = true
			continue
		case name == "only" && strings.Trim(value, ",") != "":
			a.Users = strings.Split(strings.Trim(value, ","), ",")
			continue
		case name == "share":
			if a.Weight, err = strconv.Atoi(value); err == nil && a.Weight >= 1 && a.Weight <= 100 {
				continue
			}
		case name == "until":
			if until, err = time.Parse(time.RFC3339, value); err == nil {
				continue
			}
		}
		return a, until, fmt.Errorf("%.40q is not understood; write spare, only=USER, share=50 or until=2026-01-31T12:00:00Z after the address", word)
	}
	return a, until, nil
}
