package mcp_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain makes this program a server of tools when a test starts it as one.
func TestMain(m *testing.M) {
	if mode := os.Getenv("FAKE_MODE"); mode != "" {
		(&fake{mode: mode, dir: os.Getenv("FAKE_DIR"), out: bufio.NewWriter(os.Stdout)}).serve()
		return
	}
	os.Exit(m.Run())
}

// fake is a server of tools over stdio, which does what its mode says. Its
// definitions are in a file of the test's, and it notes there what it was called for.
type fake struct {
	mode, dir string
	out       *bufio.Writer
}

type message struct {
	ID     json.RawMessage `json:"id,omitempty"`
	Method string          `json:"method"`
	Params struct {
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
	} `json:"params"`
}

func (f *fake) serve() {
	switch f.mode {
	case "noise":
		for {
			fmt.Println(strings.Repeat("not a message ", 1000))
		}
	case "chatty":
		fmt.Println("starting up, please wait")
		fmt.Println("{half of a message")
	case "late":
		time.Sleep(1200 * time.Millisecond)
	case "silent":
		time.Sleep(time.Hour)
	case "fork":
		for range 3 {
			cmd := exec.Command("sleep", "7654")
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
			_ = cmd.Start()
		}
	}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 32<<20)
	for in.Scan() {
		f.note("heard", in.Text())
		var m message
		if json.Unmarshal(in.Bytes(), &m) == nil && len(m.ID) > 0 {
			f.answer(m)
		}
	}
	if f.mode == "fork" {
		time.Sleep(time.Hour) // it does not end with its input
	}
}

func (f *fake) answer(m message) {
	switch m.Method {
	case "initialize":
		version := "2025-11-25"
		if f.mode == "odd version" {
			version = "1999-12-31"
		}
		f.result(m, `{"protocolVersion":"`+version+`","capabilities":{"tools":{"listChanged":true}},"serverInfo":{"name":"fake","version":"1"}}`)
	case "tools/list":
		if f.mode == "ten thousand" {
			f.result(m, `{"tools":[`+strings.TrimSuffix(many(10_000), ",")+`]}`)
			return
		}
		b, _ := os.ReadFile(filepath.Join(f.dir, "tools"))
		f.result(m, `{"tools":`+string(b)+`}`)
	case "tools/call":
		f.call(m)
	case "server/discover":
		if f.mode == "ends at discover" {
			os.Exit(3)
		}
		fallthrough
	default:
		f.write(`{"jsonrpc":"2.0","id":` + string(m.ID) + `,"error":{"code":-32601,"message":"no such method"}}`)
	}
}

// note adds a line to a file that the test reads.
func (f *fake) note(file, line string) {
	log, err := os.OpenFile(filepath.Join(f.dir, file), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		fmt.Fprintln(log, line)
		_ = log.Close()
	}
}

func many(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"name":"tool%d","description":"does thing number %d","inputSchema":{"type":"object"}},`, i, i)
	}
	return b.String()
}

func (f *fake) call(m message) {
	f.note("calls", m.Params.Name)
	switch m.Params.Name {
	case "huge":
		_, _ = f.out.WriteString(`{"jsonrpc":"2.0","id":` + string(m.ID) + `,"result":{"content":[{"type":"text","text":"`)
		for range 1 << 10 { // 1 GiB in all, if anybody reads it
			_, _ = f.out.WriteString(strings.Repeat("x", 1<<20))
		}
		f.write(`"}]}}`)
	case "long":
		f.text(m, strings.Repeat("é", 2<<20))
	case "never":
		time.Sleep(time.Hour)
	case "die":
		os.Exit(7)
	case "environment":
		f.text(m, strings.Join(os.Environ(), "\n"))
	case "poke": // it becomes what the test has put beside
		_ = os.Rename(filepath.Join(f.dir, "next"), filepath.Join(f.dir, "tools"))
		f.write(`{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`)
		f.text(m, "poked")
	case "fails":
		f.result(m, `{"isError":true,"content":[{"type":"text","text":"no honey left"}]}`)
	default:
		f.text(m, "did "+m.Params.Name+" "+string(m.Params.Arguments))
	}
}

func (f *fake) text(m message, text string) {
	b, _ := json.Marshal(text)
	f.result(m, `{"content":[{"type":"text","text":`+string(b)+`}]}`)
}

func (f *fake) result(m message, result string) {
	f.write(`{"jsonrpc":"2.0","id":` + string(m.ID) + `,"result":` + result + `}`)
}

func (f *fake) write(line string) {
	_, _ = f.out.WriteString(line + "\n")
	_ = f.out.Flush()
}
