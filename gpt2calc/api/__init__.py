"""What the command line does, each as one call: files of verbs, all of which `import gpt2calc` gives."""
