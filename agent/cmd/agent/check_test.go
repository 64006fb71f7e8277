package main

import (
	"io"
	"path/filepath"
	"strings"
	"testing"
)

func TestCheckListsEveryFaultAtOnceAndRepeatsNoSecret(t *testing.T) {
	const secret = "CANARY-check-1a"
	for name, value := range map[string]string{
		"AGENT_LISTEN_ADDR": "8788", "PASS_PUBLIC_KEYS": secret, "STORE": "r2:bucket", "R2_ACCESS_KEY_ID": "", "R2_SECRET_ACCESS_KEY": secret,
		"MAX_CONCURRENT_RUNS": "none", "SHELL_TIMEOUT": "soon", "WEB_TIMEOUT": "-1", "LLM_TIMEOUT": "0", "LOG_LEVEL": "loud", "LOG_FORMAT": "xml",
		"WEB_DOOR_URL": "web", "DOOR_TOKEN_WAIT": "perhaps", "LLM_PROVIDER": "nobody", "OPENAI_API_KEY": secret, "OPENAI_BASE_URL": "no address", "GLM_API_KEY": secret,
		"LLM_VISION": "sometimes", "LLM_PRICES": "cheap",
	} {
		t.Setenv(name, value)
	}
	err := run(t.Context(), []string{"check"}, io.Discard, io.Discard)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"AGENT_LISTEN_ADDR", "PASS_PUBLIC_KEYS", "R2_ACCOUNT_ID", "R2_ACCESS_KEY_ID", "MAX_CONCURRENT_RUNS", "SHELL_TIMEOUT", "WEB_TIMEOUT", "LLM_TIMEOUT",
		"LOG_LEVEL", "LOG_FORMAT", "WEB_DOOR_URL", "DOOR_TOKEN_WAIT", "LLM_PROVIDER", "OPENAI_BASE_URL", "LLM_VISION", "LLM_PRICES", "Next:",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not named among the faults:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), secret) {
		t.Errorf("a secret is repeated:\n%v", err)
	}
}

func TestCheckTriesAllThatItWillWriteTo(t *testing.T) {
	dir := t.TempDir()
	for name, value := range map[string]string{
		"PASS_PUBLIC_KEYS": "O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik=", "STORE": "disk:/dev/null/store",
		"WORKSPACE_DIR": "/dev/null/work", "LOG_FILE": filepath.Join(dir, "none", "log"),
	} {
		t.Setenv(name, value)
	}
	err := run(t.Context(), []string{"check"}, io.Discard, io.Discard)
	for _, want := range []string{"STORE", "WORKSPACE_DIR", "LOG_FILE"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not named: %v", want, err)
		}
	}
	t.Setenv("STORE", "disk:"+filepath.Join(dir, "store"))
	t.Setenv("WORKSPACE_DIR", filepath.Join(dir, "work"))
	t.Setenv("LOG_FILE", "")
	var out strings.Builder
	if err := run(t.Context(), []string{"check"}, &out, io.Discard); err != nil || !strings.HasPrefix(out.String(), "ok: ") {
		t.Errorf("check = %q, %v", out.String(), err)
	}
	t.Setenv("LLM_PROVIDER", "qwen,gemini")
	t.Setenv("QWEN_API_KEY", "k")
	t.Setenv("GEMINI_API_KEY", "k")
	for vision, want := range map[string]string{"": "with vision gemini/", "AUTO": "with vision gemini/", "true": "qwen-plus with vision,", " false": "qwen-plus without vision,"} {
		out.Reset()
		t.Setenv("LLM_VISION", vision)
		if err := run(t.Context(), []string{"check"}, &out, io.Discard); err != nil || !strings.Contains(out.String(), want) {
			t.Errorf("LLM_VISION=%q: check = %q, %v; want %q in it", vision, out.String(), err, want)
		}
	}
}
