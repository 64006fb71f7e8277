package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

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
// particular about it, "spare" or "only=USER,USER"; # begins a comment.
func readAgents(path string) ([]edge.Agent, error) {
	b, err := os.ReadFile(path)
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
		a, err := agentLine(words)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n+1, err)
		}
		for _, other := range all {
			if other.URL == a.URL {
				return nil, fmt.Errorf("line %d names an agent a second time", n+1)
			}
		}
		all, serves = append(all, a), serves || len(a.Only) == 0
	}
	if !serves {
		return nil, errors.New("names no agent that serves everybody; write one on a line of its own, such as http://127.0.0.1:8788")
	}
	return all, nil
}

func agentLine(words []string) (edge.Agent, error) {
	url, ok := agentURL(words[0])
	if !ok {
		return edge.Agent{}, errors.New("is not an agent's address; write http://host:port, without a path")
	}
	a := edge.Agent{URL: url}
	for _, word := range words[1:] {
		users, only := strings.CutPrefix(word, "only=")
		switch {
		case word == "spare":
			a.Spare = true
		case only && strings.Trim(users, ",") != "":
			a.Only = strings.Split(strings.Trim(users, ","), ",")
		default:
			return edge.Agent{}, fmt.Errorf("%.40q is not understood; write spare or only=USER after the address", word)
		}
	}
	return a, nil
}
