//! Short programs to copy from; see the folder `examples`.
