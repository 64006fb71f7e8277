package chat

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/loongclaw/loongclaw/pkg/fault"
)

type frameCase struct {
	name string
	sent Frame
	got  Frame // as read: with what is settled by leaving it out
}

var frames = []frameCase{
	{
		"frame_chat",
		Frame{FrameChat, FrameData{Message: "你好", SessionID: "work", IdempotencyKey: "k1", ParentID: "msg_1"}},
		Frame{FrameChat, FrameData{Message: "你好", SessionID: "work", IdempotencyKey: "k1", ParentID: "msg_1"}},
	},
	{
		"frame_chat_attachments",
		Frame{FrameChat, FrameData{Message: "hi", SessionID: "work", Attachments: AttachmentRefs{{Path: "图/a.png"}}}},
		Frame{FrameChat, FrameData{Message: "hi", SessionID: "work", Attachments: AttachmentRefs{{Path: "图/a.png"}}}},
	},
	{"frame_chat_default", Frame{FrameChat, FrameData{Message: "hi"}}, Frame{FrameChat, FrameData{Message: "hi", SessionID: "default"}}},
	{"frame_get_history", Frame{FrameGetHistory, FrameData{SessionID: "work"}}, Frame{FrameGetHistory, FrameData{SessionID: "work"}}},
	{"frame_clear_history", Frame{FrameClearHistory, FrameData{SessionID: "work"}}, Frame{FrameClearHistory, FrameData{SessionID: "work"}}},
	{"frame_cancel", Frame{FrameCancel, FrameData{SessionID: "work", RunID: "run_1"}}, Frame{FrameCancel, FrameData{SessionID: "work", RunID: "run_1"}}},
	{"frame_approve", Frame{FrameApprove, FrameData{ApprovalID: "apr_1", Decision: Decide7Days}}, Frame{FrameApprove, FrameData{ApprovalID: "apr_1", Decision: Decide7Days}}},
	{"frame_subscribe", Frame{FrameSubscribe, FrameData{SessionID: "work", After: "AYpJ"}}, Frame{FrameSubscribe, FrameData{SessionID: "work", After: "AYpJ"}}},
	{"frame_ping", Frame{Type: FramePing}, Frame{Type: FramePing}},
}

// wireOf is what a client sends: only the fields that it fills in.
func wireOf(t *testing.T, f Frame) []byte {
	t.Helper()
	data := map[string]any{}
	b, err := json.Marshal(f.Data)
	if err == nil {
		err = json.Unmarshal(b, &data)
	}
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range data {
		if v == "" || v == nil {
			delete(data, k)
		}
	}
	b, err = json.MarshalIndent(struct {
		Type string         `json:"type"`
		Data map[string]any `json:"data,omitempty"`
	}{f.Type, data}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(b, '\n')
}

func TestGoldenFrames(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range frames {
		seen[c.sent.Type] = true
		path, wire := filepath.Join("testdata", c.name+".json"), wireOf(t, c.sent)
		if *update {
			if err := os.WriteFile(path, wire, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatalf("%v (go test -update writes it)", err)
		}
		if !bytes.Equal(b, wire) {
			t.Errorf("%s: the names of its fields changed:\n%s\nwant:\n%s", c.name, wire, b)
		}
		got, err := ParseFrame(b)
		if err != nil || !reflect.DeepEqual(got, c.got) {
			t.Errorf("%s: got %+v, %v, want %+v", c.name, got, err, c.got)
		}
	}
	for _, kind := range constants(t, "frame.go", "Frame") {
		if !seen[kind] {
			t.Errorf("the frame %s has no golden file", kind)
		}
	}
}

func TestFieldsMayStandBesideTheType(t *testing.T) {
	want := Frame{FrameChat, FrameData{Message: "hi", SessionID: "s"}}
	for _, text := range []string{
		`{"type":"chat","message":"hi","sessionId":"s"}`,
		`{"type":"chat","data":null,"message":"hi","sessionId":"s"}`,
		`{"type":"chat","data":{"message":"hi","sessionId":"s","later":[1]},"more":{}}`,
		`{"type":"chat","data":{"message":"hi","sessionId":"s","attachments":[ ],"files":null,"tools":{}},"images":""}`,
	} {
		if got, err := ParseFrame([]byte(text)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v, want %+v", text, got, err, want)
		}
	}
	if _, err := ParseFrame([]byte(`{"type":"ping","data":7}`)); err != nil {
		t.Errorf("a ping's data matters: %v", err)
	}
}

func TestAttachmentsMayStandInEither(t *testing.T) {
	want := AttachmentRefs{{Path: "a.png"}, {Path: "b/c.pdf"}}
	for _, text := range []string{
		`{"type":"chat","data":{"message":"hi","attachments":[{"path":"a.png"},{"path":"b/c.pdf","later":1}]}}`,
		`{"type":"chat","data":{"message":"hi"},"attachments":[{"path":"a.png"},{"path":"b/c.pdf"}]}`,
		`{"type":"chat","message":"hi","Attachments":[{"path":"a.png"},{"path":"b/c.pdf"}]}`,
	} {
		if got, err := ParseFrame([]byte(text)); err != nil || !slices.Equal(got.Data.Attachments, want) {
			t.Errorf("%s: got %+v, %v, want %v", text, got, err, want)
		}
	}
}

func TestBadFrames(t *testing.T) {
	big := strings.Repeat("a", MaxMessage+1)
	for _, c := range []struct {
		text string
		want fault.Code
		says string
	}{
		{``, fault.CodeInvalidJSON, "JSON"},
		{`{`, fault.CodeInvalidJSON, "JSON"},
		{"\xff\xfe", fault.CodeInvalidJSON, "JSON"},
		{`{"type":"ping"} {}`, fault.CodeInvalidJSON, "JSON"},
		{`[]`, fault.CodeInvalidRequest, "not a JSON object"},
		{`"chat"`, fault.CodeInvalidRequest, "not a JSON object"},
		{`null`, fault.CodeInvalidRequest, "no type"},
		{`{}`, fault.CodeInvalidRequest, "no type"},
		{`{"type":null}`, fault.CodeInvalidRequest, "no type"},
		{`{"type":""}`, fault.CodeInvalidRequest, "no type"},
		{`{"type":7}`, fault.CodeInvalidRequest, "field type"},
		{`{"type":"chat","data":"hi"}`, fault.CodeInvalidRequest, "data is not a JSON object"},
		{`{"type":"chat","data":[]}`, fault.CodeInvalidRequest, "data is not a JSON object"},
		{`{"type":"chat","data":{"message":7}}`, fault.CodeInvalidRequest, "field message"},
		{`{"type":"chat"}`, fault.CodeMissingMessage, "message"},
		{`{"type":"chat","data":{"message":" \n　"}}`, fault.CodeMissingMessage, "message"},
		{`{"type":"chat","data":{"message":"` + big + `"}}`, fault.CodeTooLarge, "256 KiB"},
		{`{"type":"chat","data":{"message":"hi","sessionId":"../up"}}`, fault.CodeInvalidSession, "path"},
		{`{"type":"chat","data":{"message":"hi","sessionId":"a\u0000b"}}`, fault.CodeInvalidSession, "control"},
		{`{"type":"subscribe","data":{"sessionId":"` + strings.Repeat("x", 300) + `"}}`, fault.CodeInvalidSession, "128"},
		{`{"type":"approve","data":{"decision":"once"}}`, fault.CodeInvalidRequest, "approvalId"},
		{`{"type":"approve","data":{"approvalId":"a","decision":"always"}}`, fault.CodeInvalidRequest, "decision"},
		{`{"type":"approve","data":{"approvalId":"a"}}`, fault.CodeInvalidRequest, "decision"},
		{`{"type":"chat","data":{"message":"hi","attachments":[{"path":7}]}}`, fault.CodeInvalidRequest, "field attachments"},
		{`{"type":"chat","data":{"message":"hi"},"attachments":["a.png"]}`, fault.CodeInvalidRequest, "attachments"},
		{`{"type":"chat","data":{"message":"hi"},"attachments":[{"path":""}]}`, fault.CodeInvalidRequest, "attachments[0]"},
		{`{"type":"chat","message":"hi","attachments":[` + strings.Repeat(`{"path":"a"},`, 16) + `{"path":"a"}]}`, fault.CodeInvalidRequest, "at most 16"},
		{`{"type":"chat","message":"hi","Attachments":{"path":"a.png"}}`, fault.CodeInvalidRequest, "attachments"},
		{`{"type":"chat","data":{"message":"hi","files":["a.png"]}}`, fault.CodeUnsupported, "files"},
		{`{"type":"chat","data":{"message":"hi","images":["data:"]}}`, fault.CodeUnsupported, "images"},
		{`{"type":"chat","data":{"message":"hi","audio":"data:"}}`, fault.CodeUnsupported, "audio"},
		{`{"type":"chat","data":{"message":"hi","tools":[{"name":"x"}]}}`, fault.CodeUnsupported, "tools"},
		{`{"type":"chat","data":{"message":[{"type":"text","text":"hi"}]}}`, fault.CodeInvalidRequest, "field message"},
		{`{"type":"nonsense"}`, fault.CodeUnknownType, "未知消息类型: nonsense"},
		{`{"type":"` + strings.Repeat("长", 100) + `"}`, fault.CodeUnknownType, "…"},
	} {
		short := c.text[:min(len(c.text), 60)]
		_, err := ParseFrame([]byte(c.text))
		f := fault.From(err)
		if err == nil || f.Code != c.want || !strings.Contains(f.Message, c.says) || f.Hint == "" {
			t.Errorf("%q: got %v, want %s with %q and a hint", short, err, c.want, c.says)
		}
		if err != nil && (!utf8.ValidString(f.Message) || len(f.Message) > 200) {
			t.Errorf("%q: the message carries the input: %q", short, f.Message)
		}
	}
}

func FuzzFrame(f *testing.F) {
	for _, c := range frames {
		b, err := os.ReadFile(filepath.Join("testdata", c.name+".json"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"type":"chat","data":null,"message":"\ud800","sessionId":"\u0000"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := ParseFrame(b)
		if err != nil {
			if e := fault.From(err); e.Status() < 400 || e.Status() > 499 || e.Unwrap() != nil || len(e.Message) > 200 {
				t.Fatalf("%q: got %v, want a short error that blames the sender", b, err)
			}
			return
		}
		if got.Type != FramePing && got.Type != FrameApprove {
			if err := CheckSession(got.Data.SessionID); err != nil {
				t.Fatalf("%q was let through with %v", b, err)
			}
		}
		if got.Type == FrameChat && CheckMessage(got.Data.Message) != nil {
			t.Fatalf("%q was let through with a bad message", b)
		}
		if again, err := ParseFrame(wireOf(t, got)); err != nil || !reflect.DeepEqual(again, got) {
			t.Fatalf("%q: got %+v and, sent again, %+v, %v", b, got, again, err)
		}
	})
}
