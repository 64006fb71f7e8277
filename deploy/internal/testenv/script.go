package testenv

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
)

// RunJSON runs a program that reads in from its standard input and writes out to its
// standard output, each as JSON. An error has what the program complained of.
func RunJSON(cmd *exec.Cmd, in, out any) error {
	text, err := json.Marshal(in)
	if err != nil {
		return err
	}
	var said, complaints bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(text), &said, &complaints
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w\n%s", err, complaints.String())
	}
	if err := json.Unmarshal(said.Bytes(), out); err != nil {
		return fmt.Errorf("%w: %s", err, said.String())
	}
	return nil
}

// Chromium is where the browser is that tests of the page drive.
func Chromium() (string, error) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		return "", errors.New("there is no chromium\nNext: apt-get install chromium")
	}
	return path, nil
}
