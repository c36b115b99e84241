"""Export and erasure of the personal data of customers and sellers, across the documents."""
