// A host of hashicorp/memberlist for the benchmarks. The lines it reads and writes are described in
// benchmarks/peers/README.rst.
//
// main.go speaks the lines, node.go runs one node, view.go keeps what the nodes see.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// A request is one line read. Which fields mean something depends on Do.
type request struct {
	Do      string          `json:"do"`
	Nodes   json.RawMessage `json:"nodes"` // specifications for "start", names for "expect"
	Seeds   []string        `json:"seeds"`
	See     *sight          `json:"see"`
	Seconds float64         `json:"seconds"`
	Node    string          `json:"node"`
	Value   string          `json:"value"`
}

type moment struct {
	At float64 `json:"at"`
}

type failure struct {
	Error string `json:"error"`
}

// A host runs nodes and answers requests, one at a time.
type host struct {
	settings settings
	book     *book
	nodes    map[string]*node
	inputEnd <-chan struct{} // closed when there will be no further request
}

func main() {
	var chosen settings
	flag.StringVar(&chosen.profile, "profile", "lan", "the library's own defaults: lan, local or wan")
	flag.DurationVar(&chosen.probeInterval, "probe-interval", 0, "in place of the profile's")
	flag.DurationVar(&chosen.gossipInterval, "gossip-interval", 0, "in place of the profile's")
	flag.IntVar(&chosen.gossipNodes, "gossip-nodes", 0, "in place of the profile's")
	flag.DurationVar(&chosen.pushPullInterval, "push-pull-interval", 0, "in place of the profile's")
	flag.Parse()
	if _, err := chosen.config(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	lines, inputEnd := readLines()
	h := &host{settings: chosen, book: newBook(), nodes: make(map[string]*node), inputEnd: inputEnd}
	replies := json.NewEncoder(os.Stdout)
	for line := range lines {
		reply, err := h.answer(line)
		if err != nil {
			reply = failure{err.Error()}
		}
		if err := replies.Encode(reply); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// readLines reads ahead, so that the end of the input is noticed while a request waits.
func readLines() (<-chan []byte, <-chan struct{}) {
	lines := make(chan []byte, 64)
	end := make(chan struct{})
	go func() {
		input := bufio.NewReader(os.Stdin)
		for {
			line, err := input.ReadBytes('\n')
			if len(bytes.TrimSpace(line)) > 0 {
				lines <- line
			}
			if err != nil {
				close(end)
				close(lines)
				return
			}
		}
	}()
	return lines, end
}

func (h *host) answer(line []byte) (interface{}, error) {
	at := now()
	var asked request
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&asked); err != nil {
		return nil, fmt.Errorf("cannot read the request: %v", err)
	}
	switch asked.Do {
	case "start":
		return moment{at}, h.start(asked)
	case "expect":
		return moment{at}, h.expect(asked)
	case "await":
		return h.await(asked.Seconds)
	case "update":
		return h.update(asked)
	case "crash":
		return h.end(asked.Node, (*node).crash)
	case "leave":
		return h.end(asked.Node, (*node).leave)
	case "reset":
		h.book.reset()
		return moment{at}, nil
	case "report":
		return h.book.report(), nil
	}
	return nil, fmt.Errorf("unknown request: %q", asked.Do)
}

// start starts all nodes of a request side by side: a busy address may take some seconds.
func (h *host) start(asked request) error {
	var specifications []specification
	if err := json.Unmarshal(asked.Nodes, &specifications); err != nil {
		return fmt.Errorf("cannot read the nodes to start: %v", err)
	}
	for _, each := range specifications {
		if h.nodes[each.Name] != nil {
			return fmt.Errorf("%s runs already", each.Name)
		}
	}
	started := make([]*node, len(specifications))
	failures := make([]error, len(specifications))
	var all sync.WaitGroup
	for i, each := range specifications {
		all.Add(1)
		go func(i int, each specification) {
			defer all.Done()
			started[i], failures[i] = startNode(each, asked.Seeds, h.settings, h.book)
		}(i, each)
	}
	all.Wait()
	var reasons []string
	for i, each := range specifications {
		if failures[i] != nil {
			reasons = append(reasons, fmt.Sprintf("%s does not start: %v", each.Name, failures[i]))
		} else {
			h.nodes[each.Name] = started[i]
		}
	}
	if reasons != nil {
		return errors.New(strings.Join(reasons, "; "))
	}
	return nil
}

func (h *host) expect(asked request) error {
	var names []string
	if err := json.Unmarshal(asked.Nodes, &names); err != nil {
		return fmt.Errorf("cannot read the names of the nodes: %v", err)
	}
	if asked.See == nil {
		return errors.New("nothing to see is given")
	}
	if err := asked.See.check(); err != nil {
		return err
	}
	h.book.expect(names, *asked.See)
	return nil
}

func (h *host) await(seconds float64) (interface{}, error) {
	done := h.book.allSeen()
	if done == nil {
		return nil, errors.New("nothing is expected")
	}
	timer := time.NewTimer(time.Duration(seconds * float64(time.Second)))
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	case <-h.inputEnd:
	}
	return h.book.outcome(), nil
}

func (h *host) running(name string) (*node, error) {
	if found := h.nodes[name]; found != nil {
		return found, nil
	}
	return nil, fmt.Errorf("%q does not run here", name)
}

func (h *host) update(asked request) (interface{}, error) {
	found, err := h.running(asked.Node)
	if err != nil {
		return nil, err
	}
	at := now()
	return moment{at}, found.update(asked.Value)
}

func (h *host) end(name string, how func(*node)) (interface{}, error) {
	found, err := h.running(name)
	if err != nil {
		return nil, err
	}
	delete(h.nodes, name)
	at := now()
	how(found)
	return moment{at}, nil
}
